-- Does a CHECK, a domain, a length, a unique index, a foreign key or an exclusion constraint refuse what the expression gives for
-- the rows that are to do? Reads every row, locks none. A BEFORE trigger may change what is refused here: then it is unseen.
CREATE OR REPLACE FUNCTION pg_temp.values_refused(target regclass, filled name, expression text, todo text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    part record;
    rule record;
    place tid;
    pairs double precision;
    shown text;
    untried text;
BEGIN
    FOR part IN
        WITH RECURSIVE member AS (
            SELECT target::oid AS relid
            UNION
            SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
        )
        SELECT relid::regclass AS relation, relname,
               CASE WHEN EXISTS (SELECT FROM pg_trigger WHERE tgrelid = relid AND NOT tgisinternal AND tgenabled <> 'D'
                                                          AND tgtype::int & 19 = 19)
                   THEN 'unseen: unless a BEFORE trigger changes it, ' ELSE 'stop: ' END AS verdict,
               own.cast_to,
               -- A cast that is written cuts a text off; an assignment refuses it.
               CASE WHEN own.sized AND own.is_array
                   THEN format('ARRAY(SELECT rtrim(one) FROM unnest((%s)::text[]) AS part (one)) = '
                               'ARRAY(SELECT rtrim(one) FROM unnest(CAST((%1$s) AS %s)::text[]) AS part (one))',
                               expression, own.cast_to)
                   WHEN own.sized THEN format('rtrim((%s)::text) = rtrim(CAST((%1$s) AS %s)::text)', expression, own.cast_to)
                   ELSE 'true' END AS fits,
               (SELECT string_agg(CASE WHEN attname = filled THEN format('CAST((%s) AS %s) AS %I', expression, own.cast_to, filled)
                                      ELSE quote_ident(attname) END, ', ')
                FROM pg_attribute WHERE attrelid = relid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS stored,
               -- The rows as they are in the end: with the value for those that are to do, with their own for the others.
               (SELECT string_agg(CASE WHEN attname = filled THEN format('CASE WHEN %s THEN CAST((%s) AS %s) ELSE %I END AS %4$I',
                                                                         todo, expression, own.cast_to, filled)
                                      ELSE quote_ident(attname) END, ', ')
                FROM pg_attribute WHERE attrelid = relid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS final,
               (SELECT string_agg(format('%I.%I', relname, attname), ', ' ORDER BY attnum)
                FROM pg_attribute WHERE attrelid = relid AND attnum > 0 AND NOT attisdropped) AS columns,
               (SELECT string_agg(format(', (%s) AS %I', pg_get_expr(adbin, adrelid), attname), '' ORDER BY attnum)
                FROM pg_attribute JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                WHERE attrelid = relid AND NOT attisdropped AND attgenerated <> '') AS generated
        FROM member
        JOIN pg_class ON pg_class.oid = relid AND relkind = 'r'
        CROSS JOIN LATERAL (
            -- The type, that of an array's values, and what domains and composite types are made of.
            WITH RECURSIVE made AS (
                SELECT atttypid AS typid, atttypmod <> -1 AS has_size FROM pg_attribute WHERE attrelid = relid AND attname = filled
                UNION
                SELECT coalesce(atttypid, CASE typtype WHEN 'd' THEN typbasetype ELSE typelem END),
                       coalesce(atttypmod <> -1, has_size OR typtypmod <> -1)
                FROM made
                JOIN pg_type ON pg_type.oid = typid
                LEFT JOIN pg_attribute ON typtype = 'c' AND attrelid = typrelid AND attnum > 0 AND NOT attisdropped
                WHERE typtype IN ('d', 'c') OR typcategory = 'A'
            )
            SELECT format_type(atttypid, atttypmod) AS cast_to,
                   (SELECT bool_or(has_size AND typcategory IN ('S', 'V')) FROM made JOIN pg_type ON pg_type.oid = typid) AS sized,
                   (SELECT bool_or(typcategory = 'A') FROM made JOIN pg_type ON pg_type.oid = typid) AS is_array
            FROM pg_attribute WHERE attrelid = relid AND attname = filled
        ) AS own
    LOOP
        BEGIN
            place := NULL;
            EXECUTE format('SELECT ctid, left(CAST((%s) AS text), 60) FROM ONLY %s AS %I
                            WHERE CASE WHEN CAST((%1$s) AS %4$s) IS NULL THEN false ELSE (%5$s) AND NOT (%6$s) END LIMIT 1',
                           expression, part.relation, part.relname, part.cast_to, todo, part.fits) INTO place, shown;
        EXCEPTION WHEN read_only_sql_transaction THEN
            RETURN 'unseen: the expression writes, as nextval does, so no value could be tried';
        WHEN OTHERS THEN
            BEGIN
                FOR place IN EXECUTE format('SELECT ctid FROM ONLY %s', part.relation) LOOP
                    EXECUTE format('SELECT CAST((%s) AS %s) FROM ONLY %s AS %I WHERE ctid = $1',
                                   expression, part.cast_to, part.relation, part.relname) INTO shown USING place;
                END LOOP;
            EXCEPTION WHEN OTHERS THEN
                EXECUTE format('SELECT left(one::text, 200) FROM ONLY %s AS one WHERE ctid = $1', part.relation)
                INTO shown USING place;
                RETURN concat(part.verdict, 'the expression fails in a row of ', part.relation, ': ', SQLERRM, ': ', shown);
            END;
        END;
        IF place IS NOT NULL THEN
            RETURN format('%s%s takes no value as long as %L', part.verdict, quote_ident(filled), shown);
        END IF;
        FOR rule IN
            SELECT conname, pg_get_expr(conbin, conrelid) AS condition FROM pg_constraint
            WHERE conrelid = part.relation AND contype = 'c' AND pg_get_constraintdef(oid) NOT LIKE '%NOT ENFORCED'
            ORDER BY conname
        LOOP
            BEGIN
                EXECUTE format('SELECT left(ROW(%7$s)::text, 200)
                                FROM (SELECT own.*%1$s FROM (SELECT %2$s, tableoid FROM ONLY %3$s AS %4$I WHERE %5$s) AS own) AS %4$I
                                WHERE NOT (%6$s) LIMIT 1',
                               part.generated, part.stored, part.relation, part.relname, todo, rule.condition, part.columns)
                INTO shown;
            EXCEPTION WHEN undefined_function THEN
                CONTINUE;  -- it looks at the row as a whole
            END;
            IF shown IS NOT NULL THEN
                RETURN format('%s%I of %s refuses what the expression makes of a row: %s',
                              part.verdict, rule.conname, part.relation, shown);
            END IF;
        END LOOP;
        -- A rule of several rows, or of another table: each is a query for one row that breaks it, in its final form.
        FOR rule IN
            WITH own AS (
                SELECT attname, attnum FROM pg_attribute
                WHERE attrelid = part.relation AND (attname = filled OR attgenerated <> '') AND NOT attisdropped
            ), final AS (
                SELECT concat(head, 'true', tail) AS rows, concat(head, todo, tail) AS to_do
                FROM (SELECT format('(SELECT own.*%s FROM (SELECT %s, tableoid, ctid FROM ONLY %s AS %I WHERE ',
                                    part.generated, part.final, part.relation, part.relname),
                             format(') AS own) AS %I', part.relname)) AS piece (head, tail)
            ), index AS (
                SELECT class.relname, pg_index.*, coalesce(pg_get_expr(indpred, indrelid), 'true') AS holds,
                       conexclop AS operators, keys.*
                FROM pg_index
                CROSS JOIN LATERAL (
                    SELECT string_agg(format('(%s)%s AS key_%s', pg_get_indexdef(indexrelid, key, false), (
                                          SELECT format(' COLLATE %I.%I', nspname, collname)
                                          FROM pg_collation JOIN pg_namespace ON pg_namespace.oid = collnamespace
                                          WHERE pg_collation.oid = indcollation[key - 1]), key), ', ') AS keys,
                           string_agg('key_' || key, ', ') AS key_names
                    FROM generate_series(1, indnkeyatts) AS key
                ) AS keys
                JOIN pg_class AS class ON class.oid = indexrelid
                LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u', 'x') AND conrelid = indrelid
                WHERE indrelid = part.relation AND indisvalid AND (indisunique OR indisexclusion)
                  AND (indexprs IS NOT NULL OR indpred IS NOT NULL OR EXISTS (SELECT FROM own WHERE attnum = ANY (indkey)))
            )
            SELECT relname AS name, false AS of_pairs, '' AS hidden,
                   format('SELECT min(ctid) FROM (SELECT ctid, %s FROM %s WHERE %s) AS own
                           WHERE %s OR num_nulls(%s) = 0 GROUP BY %5$s HAVING count(*) > 1 LIMIT 1',
                          keys, rows, holds, indnullsnotdistinct::text, key_names) AS question
            FROM index, final WHERE NOT indisexclusion
            UNION ALL
            SELECT relname, NOT bool_or(oprcanhash), '',
                   format('SELECT one.ctid FROM (SELECT ctid, %s FROM %s WHERE %s) AS one
                           JOIN (SELECT ctid, %1$s FROM %s WHERE %3$s) AS other ON one.ctid <> other.ctid AND %5$s LIMIT 1',
                          min(keys), min(to_do), min(holds), min(rows),
                          string_agg(format('one.key_%s OPERATOR(%I.%s) other.key_%1$s', key, nspname, oprname), ' AND '))
            FROM final, index
            CROSS JOIN LATERAL unnest(operators) WITH ORDINALITY AS used (operator, key)
            JOIN pg_operator ON pg_operator.oid = operator JOIN pg_namespace ON pg_namespace.oid = oprnamespace
            WHERE indisexclusion
            GROUP BY indexrelid, relname
            UNION ALL
            SELECT conname, false,
                   CASE WHEN NOT has_table_privilege(confrelid, 'SELECT') THEN 'this role may not read ' || confrelid::regclass
                       WHEN row_security_active(confrelid) THEN 'row-level security hides rows of ' || confrelid::regclass
                       ELSE '' END,
                   format('SELECT own.ctid FROM (SELECT * FROM %s) AS own WHERE %s OR num_nulls(%s) = 0 AND NOT EXISTS (SELECT FROM %s AS target
                           WHERE %s) LIMIT 1',
                          min(to_do),
                          CASE confmatchtype WHEN 'f' THEN format('num_nulls(%s) BETWEEN 1 AND %s',
                                                                  string_agg(format('own.%I', mine.attname), ', '), count(*) - 1)
                              ELSE 'false' END,
                          string_agg(format('own.%I', mine.attname), ', '), confrelid::regclass,
                          string_agg(format('target.%I OPERATOR(%I.%s) own.%I', other.attname, nspname, oprname, mine.attname), ' AND '))
            FROM final, pg_constraint AS reference
            CROSS JOIN LATERAL unnest(conkey, confkey, conpfeqop) AS used (own_key, other_key, operator)
            JOIN pg_attribute AS mine ON mine.attrelid = conrelid AND mine.attnum = own_key
            JOIN pg_attribute AS other ON other.attrelid = confrelid AND other.attnum = other_key
            JOIN pg_operator ON pg_operator.oid = operator JOIN pg_namespace ON pg_namespace.oid = oprnamespace
            WHERE contype = 'f' AND conrelid = part.relation AND EXISTS (SELECT FROM own WHERE own.attnum = ANY (conkey))
              -- A key of a partitioned table has a row for each of its partitions too.
              AND NOT EXISTS (SELECT FROM pg_constraint AS above WHERE above.oid = reference.conparentid AND above.conrelid = reference.conrelid)
              AND pg_get_constraintdef(reference.oid) NOT LIKE '%NOT ENFORCED' AND pg_get_constraintdef(reference.oid) NOT LIKE '%PERIOD %'
            GROUP BY reference.oid, conname, confrelid, confmatchtype
            ORDER BY name
        LOOP
            IF rule.of_pairs THEN
                EXECUTE format('SELECT count(*) FILTER (WHERE %s)::float8 * count(*) FROM ONLY %s AS %I',
                               todo, part.relation, part.relname) INTO pairs;
            END IF;
            IF rule.hidden <> '' OR rule.of_pairs AND pairs > 1e8 THEN
                untried := format('unseen: whether %I of %s refuses what the expression makes of a row: %s', rule.name, part.relation,
                                  coalesce(nullif(rule.hidden, ''), 'there are too many rows to compare each with each'));
                CONTINUE;
            END IF;
            place := NULL;
            EXECUTE rule.question INTO place;
            IF place IS NOT NULL THEN
                EXECUTE format('SELECT left(one::text, 200) FROM ONLY %s AS one WHERE ctid = $1', part.relation)
                INTO shown USING place;
                RETURN format('%s%I of %s refuses what the expression makes of a row: %s',
                              part.verdict, rule.name, part.relation, shown);
            END IF;
        END LOOP;
    END LOOP;
    RETURN coalesce(untried, 'ok');
END
$$;
