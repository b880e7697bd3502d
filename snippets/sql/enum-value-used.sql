-- Does a row have the value, or a definition name it? In arrays, domains, composite types and ranges as well.
CREATE OR REPLACE FUNCTION pg_temp.enum_value_used(wanted regtype, label text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    place record;
    found_one boolean;
    named text;
    -- As PostgreSQL writes a constant: without E'' and doubled backslashes.
    quoted constant text := '''' || replace(label, '''', '''''') || '''';
BEGIN
    FOR place IN
        WITH RECURSIVE part (oid, of) AS (
            SELECT typbasetype, oid FROM pg_type
            UNION ALL SELECT oid, typarray FROM pg_type
            UNION ALL SELECT rngsubtype, rngtypid FROM pg_range
            UNION ALL SELECT rngtypid, rngmultitypid FROM pg_range
            UNION ALL SELECT atttypid, reltype FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                      WHERE attnum > 0 AND NOT attisdropped
        ), holder (oid, plain, ranges) AS (
            SELECT wanted::oid, true, false
            UNION
            SELECT of, plain AND typtype = 'd', ranges OR typtype IN ('r', 'm')
            FROM holder JOIN part USING (oid) JOIN pg_type ON pg_type.oid = of
        )
        SELECT class.oid::regclass AS relation, attribute.attname AS name,
               bool_and(plain) AS plain, bool_or(ranges) AS ranges
        FROM holder
        JOIN pg_attribute AS attribute ON attribute.atttypid = holder.oid AND NOT attribute.attisdropped
        JOIN pg_class AS class ON class.oid = attribute.attrelid
        WHERE class.relkind IN ('r', 'm', 'f')
          AND (class.relpersistence <> 't' OR class.relnamespace = pg_my_temp_schema())
        GROUP BY class.oid, attribute.attname
    LOOP
        IF NOT has_column_privilege(place.relation, place.name, 'SELECT') THEN
            RETURN format('stop: this role may not read %s; run this as one that may', place.relation);
        END IF;
        IF row_security_active(place.relation) THEN
            RETURN format('stop: row security hides rows of %s; run this as a role with BYPASSRLS',
                          place.relation);
        END IF;
        EXECUTE format(
            'SELECT EXISTS (SELECT FROM ONLY %s WHERE '
            || CASE
                   WHEN place.plain THEN '%I::text = $1'
                   WHEN place.ranges THEN 'strpos(%I::text, $1) > 0'
                   ELSE 'jsonb_path_exists(to_jsonb(%I), ''$.** ? (@ == $label)'','
                        ' jsonb_build_object(''label'', $1))'
               END || ')', place.relation, place.name)
            INTO found_one USING label;
        IF found_one THEN
            RETURN format('stop: rows of %s have it; move them first', place.relation);
        END IF;
    END LOOP;
    SELECT string_agg(DISTINCT definition.object, ', ') INTO named
    FROM (
        SELECT format('default of %s.%I', adrelid::regclass, attname), pg_get_expr(adbin, adrelid)
        FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        UNION ALL
        SELECT format('constraint %I', conname), pg_get_constraintdef(oid)
        FROM pg_constraint WHERE contype IN ('c', 'x')
        UNION ALL
        SELECT format('index %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
        FROM pg_index WHERE indpred IS NOT NULL OR indexprs IS NOT NULL
        UNION ALL
        SELECT format('partition %s', oid::regclass), texts[1] || '::' || wanted
        FROM pg_class,
             LATERAL regexp_matches(pg_get_expr(relpartbound, oid), '(''(?:[^'']|'''')*'')', 'g') AS part (texts)
        WHERE relispartition AND EXISTS (
            SELECT FROM pg_inherits
            JOIN pg_partitioned_table ON partrelid = inhparent
            JOIN pg_attribute ON attrelid = partrelid AND attnum = ANY (partattrs::int2[])
            WHERE inhrelid = pg_class.oid AND atttypid = wanted)
        UNION ALL
        SELECT format('view %s', oid::regclass), pg_get_viewdef(oid)
        FROM pg_class
        WHERE relkind IN ('v', 'm')
          AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        UNION ALL
        SELECT format('rule %I', rulename), pg_get_ruledef(oid) FROM pg_rewrite WHERE rulename <> '_RETURN'
        UNION ALL
        SELECT format('policy %I', polname), concat(pg_get_expr(polqual, polrelid), ' ',
                                                    pg_get_expr(polwithcheck, polrelid))
        FROM pg_policy
        UNION ALL
        SELECT format('trigger %I', tgname), pg_get_triggerdef(oid) FROM pg_trigger WHERE tgqual IS NOT NULL
        UNION ALL
        SELECT format('function %s', oid::regprocedure), pg_get_functiondef(oid)
        FROM pg_proc
        WHERE prokind IN ('f', 'p') AND (prosqlbody IS NOT NULL OR proargdefaults IS NOT NULL)
          AND pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    ) AS definition (object, words)
    WHERE strpos(words, quoted || '::' || wanted) > 0
       OR strpos(words, '''::' || wanted || '[]') > 0 AND strpos(words, label) > 0;
    RETURN coalesce('stop: these name it: ' || named, 'ok');
END
$$;
