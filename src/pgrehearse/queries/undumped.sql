-- What pg_dump does not write: object, subject, statement. The search path is empty, so names come out
-- qualified.
-- pg_dump leaves an invalid index out altogether.
SELECT pg_catalog.format('table %s', i.indrelid::pg_catalog.regclass), pg_catalog.format('index %s',
    i.indexrelid::pg_catalog.regclass),
       pg_catalog.format('-- INVALID: %s', pg_catalog.pg_get_indexdef(i.indexrelid))
  FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
   AND {application_schema}
   AND (c.relkind = 'i' OR NOT i.indisvalid)
UNION ALL
-- DISABLE TRIGGER ALL switches foreign keys off, and pg_dump knows only triggers with a name.
SELECT DISTINCT pg_catalog.format('table %s', t.tgrelid::pg_catalog.regclass),
       pg_catalog.format('triggers of constraint %s', coalesce(pg_catalog.quote_ident(k.conname), t.tgname)),
       pg_catalog.format('ALTER TABLE %s %s TRIGGER ALL -- trigger of constraint %s',
           t.tgrelid::pg_catalog.regclass,
              CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
              ELSE 'ENABLE ALWAYS' END, coalesce(pg_catalog.quote_ident(k.conname), t.tgname))
  FROM pg_catalog.pg_trigger AS t LEFT JOIN pg_catalog.pg_constraint AS k ON k.oid = t.tgconstraint
 WHERE t.tgisinternal AND t.tgenabled <> 'O'
UNION ALL
SELECT pg_catalog.format('extension %s', pg_catalog.quote_ident(e.extname)), 'version',
       CASE WHEN e.extversion = a.default_version
            THEN pg_catalog.format('ALTER EXTENSION %s UPDATE', pg_catalog.quote_ident(e.extname))
            ELSE pg_catalog.format('ALTER EXTENSION %s UPDATE TO %L', pg_catalog.quote_ident(e.extname),
                e.extversion) END
  FROM pg_catalog.pg_extension AS e LEFT JOIN pg_catalog.pg_available_extensions AS a ON a.name = e.extname
UNION ALL
SELECT 'schema public', 'schema', 'CREATE SCHEMA public' FROM pg_catalog.pg_namespace WHERE nspname = 'public'
UNION ALL
SELECT 'database', 'tablespace',
       pg_catalog.format('ALTER DATABASE :"DBNAME" SET TABLESPACE %s', pg_catalog.quote_ident(t.spcname))
  FROM pg_catalog.pg_database AS d JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace
 WHERE d.datname = pg_catalog.current_database() AND t.spcname <> 'pg_default'
UNION ALL
SELECT 'database', 'connections', 'ALTER DATABASE :"DBNAME" ALLOW_CONNECTIONS false'
  FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database() AND NOT datallowconn
UNION ALL
SELECT pg_catalog.format('table %s', inhparent::pg_catalog.regclass), pg_catalog.format('partition %s',
    inhrelid::pg_catalog.regclass),
       pg_catalog.format('ALTER TABLE %s DETACH PARTITION %s FINALIZE -- not finished',
           inhparent::pg_catalog.regclass,
              inhrelid::pg_catalog.regclass)
  FROM pg_catalog.pg_inherits WHERE inhdetachpending
UNION ALL
SELECT pg_catalog.format('subscription %s', pg_catalog.quote_ident(subname)), 'state',
       pg_catalog.format('ALTER SUBSCRIPTION %s %s', pg_catalog.quote_ident(subname),
              CASE WHEN subenabled THEN 'ENABLE' ELSE 'DISABLE' END)
  FROM pg_catalog.pg_subscription
 WHERE subdbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
UNION ALL
-- Loose members of a built-in operator family, and objects in system schemas, are nobody's in a dump.
SELECT 'system objects', i.identity, pg_catalog.format('-- in a system schema: %s %s', i.type, i.identity)
  FROM (SELECT 'pg_catalog.pg_amop'::pg_catalog.regclass AS classid, m.oid, NULL::pg_catalog.oid AS space
          FROM pg_catalog.pg_amop AS m WHERE m.oid >= 16384 AND m.amopfamily < 16384
        UNION ALL
        SELECT 'pg_catalog.pg_amproc'::pg_catalog.regclass, m.oid, NULL FROM pg_catalog.pg_amproc AS m
         WHERE m.oid >= 16384 AND m.amprocfamily < 16384
        UNION ALL
        SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, oid, pronamespace FROM pg_catalog.pg_proc
            WHERE oid >= 16384
        UNION ALL
        SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, oid, relnamespace FROM pg_catalog.pg_class
         WHERE oid >= 16384 AND relkind <> 't'
        UNION ALL
        SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, oid, oprnamespace FROM pg_catalog.pg_operator
            WHERE oid >= 16384
        UNION ALL
        -- Not the row types of tables and views, nor arrays.
        SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, oid, typnamespace FROM pg_catalog.pg_type
         WHERE oid >= 16384 AND typrelid = 0 AND typelem = 0
        UNION ALL
        SELECT 'pg_catalog.pg_opclass'::pg_catalog.regclass, oid, opcnamespace FROM pg_catalog.pg_opclass
            WHERE oid >= 16384
        UNION ALL
        SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, oid, opfnamespace FROM pg_catalog.pg_opfamily
            WHERE oid >= 16384
        UNION ALL
        SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, oid, connamespace FROM pg_catalog.pg_conversion
            WHERE oid >= 16384
        UNION ALL
        SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, oid, cfgnamespace FROM pg_catalog.pg_ts_config
            WHERE oid >= 16384
        UNION ALL
        SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, oid, dictnamespace FROM pg_catalog.pg_ts_dict
            WHERE oid >= 16384) AS o,
       LATERAL pg_catalog.pg_identify_object(o.classid, o.oid, 0) AS i
 WHERE (o.space IS NULL OR o.space IN ('pg_catalog'::pg_catalog.regnamespace,
     'information_schema'::pg_catalog.regnamespace))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                    WHERE d.classid = o.classid AND d.objid = o.oid AND d.deptype IN ('e', 'i'))
