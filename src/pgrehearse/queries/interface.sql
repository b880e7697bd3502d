-- What releases of an application rely on: kind, identity, owner, name, facts.
SELECT kind, identity,
       CASE schema WHEN 'public' THEN '' ELSE pg_catalog.quote_ident(schema) || '.' END
           || pg_catalog.quote_ident(relation) || arguments, name, facts
  FROM (
    SELECT 'relation' AS kind, c.oid::pg_catalog.text AS identity, n.nspname AS schema, c.relname AS relation,
           '' AS arguments, '' AS name,
           pg_catalog.json_build_object(
               'kind', c.relkind,
               'hidden', c.relrowsecurity,
               'granted', ARRAY(
               SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee) END
                      || ' ' || a.privilege_type
                 FROM pg_catalog.aclexplode(c.relacl) AS a
                WHERE a.grantee <> c.relowner
                  AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'USAGE', 'EXECUTE')
                ORDER BY 1),
               'policies', CASE WHEN c.relrowsecurity THEN (
                   SELECT pg_catalog.json_object_agg(
                              y.polname,
                              pg_catalog.concat_ws(' ', CASE WHEN y.polpermissive THEN 'shows' ELSE 'hides' END,
                                                   y.polcmd, y.polroles,
                                                   pg_catalog.pg_get_expr(y.polqual, y.polrelid),
                                                   pg_catalog.pg_get_expr(y.polwithcheck, y.polrelid)))
                     FROM pg_catalog.pg_policy AS y WHERE y.polrelid = c.oid) END,
               'published', ARRAY(
                   SELECT u.pubname FROM pg_catalog.pg_publication AS u
                    WHERE u.puballtables AND c.relkind IN ('r', 'p')
                       OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r
                                   WHERE r.prpubid = u.oid AND r.prrelid = c.oid)
                       OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace AS s
                                   WHERE s.pnpubid = u.oid AND s.pnnspid = c.relnamespace
                                     AND c.relkind IN ('r', 'p'))
                    ORDER BY 1),
               'disabled', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_trigger AS g
                             WHERE g.tgrelid = c.oid AND g.tgenabled IN ('D', 'R')),
               'parents', ARRAY(SELECT h.inhparent::pg_catalog.regclass::pg_catalog.text
                                  FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = c.oid ORDER BY 1),
               'frozen', c.relkind IN ('r', 'p') AND c.relreplident <> 'f'
                   AND (EXISTS (SELECT FROM pg_catalog.pg_publication AS u
                                 WHERE u.puballtables AND (u.pubupdate OR u.pubdelete))
                        OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r
                                     JOIN pg_catalog.pg_publication AS u ON u.oid = r.prpubid
                                    WHERE r.prrelid = c.oid AND (u.pubupdate OR u.pubdelete))
                        OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace AS s
                                     JOIN pg_catalog.pg_publication AS u ON u.oid = s.pnpubid
                                    WHERE s.pnnspid = c.relnamespace AND (u.pubupdate OR u.pubdelete)))
                   AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                                    WHERE i.indrelid = c.oid AND i.indisvalid
                                      AND CASE c.relreplident WHEN 'd' THEN i.indisprimary
                                                              WHEN 'i' THEN i.indisreplident END)) AS facts
      FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE {application_table} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
    UNION ALL
    SELECT 'column', c.oid || '.' || a.attnum, n.nspname, c.relname, '', a.attname,
           pg_catalog.json_build_object('type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                                        'not_null', a.attnotnull, 'filled', a.atthasdef OR a.attidentity <> '',
                                        'computed', a.attgenerated <> '' OR a.attidentity = 'a',
                                        'narrow', a.atttypid = 'int8'::pg_catalog.regtype AND EXISTS (
               SELECT FROM pg_catalog.pg_depend AS d
                 JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = d.objid
                WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
                  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND d.refobjid = c.oid AND d.refobjsubid = a.attnum
                  AND q.seqtypid <> 'int8'::pg_catalog.regtype))
      FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE {application_table} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND NOT c.relispartition
       AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'type', t.oid::pg_catalog.text, n.nspname, t.typname, '', '', pg_catalog.json_build_object()
      FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
      LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
     WHERE {application_schema} AND t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c'
       AND t.typtype <> 'm' AND NOT {brought_type}
    UNION ALL
    SELECT 'value', e.oid::pg_catalog.text, n.nspname, t.typname, '', e.enumlabel,
           pg_catalog.json_build_object()
      FROM pg_catalog.pg_enum AS e JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
     WHERE {application_schema} AND NOT {brought_type}
    UNION ALL
    SELECT 'function', p.oid::pg_catalog.text,
           n.nspname, p.proname, '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')', '',
           pg_catalog.json_build_object(
               'type', pg_catalog.pg_get_function_result(p.oid),
               'body', pg_catalog.md5(pg_catalog.concat_ws(' ', p.prosrc, p.probin, p.proconfig,
                                                           pg_catalog.pg_get_function_sqlbody(p.oid))),
               'kept', ARRAY(  -- what holds its results
               SELECT x.oid::pg_catalog.regclass::pg_catalog.text
                 FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_class AS x ON x.oid = d.objid
                WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND x.relkind IN ('i', 'p')
                  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = p.oid
               UNION
               SELECT h.adrelid::pg_catalog.regclass || '.' || pg_catalog.quote_ident(a.attname)
                 FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_attrdef AS h ON h.oid = d.objid
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = h.adrelid AND a.attnum = h.adnum
                WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND a.attgenerated = 's'
                  AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = p.oid
                ORDER BY 1),
               'granted', ARRAY(
               SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee) END
                      || ' ' || a.privilege_type
                 FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
                WHERE a.grantee <> p.proowner
                  AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'USAGE', 'EXECUTE')
                ORDER BY 1))
      FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
     WHERE {application_schema} AND p.prorettype <> 'trigger'::pg_catalog.regtype
       AND NOT {brought_function}
    UNION ALL
    SELECT 'rule', 'c' || k.oid, n.nspname, c.relname, '', k.conname,
           pg_catalog.json_build_object('kind', k.contype, 'columns', ARRAY(
               SELECT a.attname FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) ORDER BY 1),
               'definition', pg_catalog.replace(pg_catalog.pg_get_constraintdef(k.oid), ' NOT VALID', ''),
               'index', coalesce((SELECT relname FROM pg_catalog.pg_class WHERE oid = k.conindid), ''))
      FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE {application_table} AND k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0
       AND NOT c.relispartition
    UNION ALL
    SELECT 'rule', 'i' || i.indexrelid, n.nspname, c.relname, '', x.relname,
           pg_catalog.json_build_object('kind', 'u', 'columns', ARRAY(
               SELECT a.attname FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::smallint[]) ORDER BY 1),
               'definition', pg_catalog.pg_get_indexdef(i.indexrelid), 'index', x.relname)
      FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
      JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE {application_table} AND i.indisunique AND NOT c.relispartition
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k
                        WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'schema', n.oid::pg_catalog.text, 'public', n.nspname, '', '',
           pg_catalog.json_build_object('granted', ARRAY(
               SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.pg_get_userbyid(a.grantee) END
                      || ' ' || a.privilege_type
                 FROM pg_catalog.aclexplode(n.nspacl) AS a
                WHERE a.grantee <> n.nspowner
                  AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'USAGE', 'EXECUTE')
                ORDER BY 1))
      FROM pg_catalog.pg_namespace AS n
     WHERE {application_schema}
    UNION ALL
    -- What an extension brought goes with it, so it stands for all of that.
    SELECT 'extension', e.oid::pg_catalog.text, 'public', e.extname, '', '', pg_catalog.json_build_object()
      FROM pg_catalog.pg_extension AS e
  ) AS found
