-- Does a CHECK, a domain or a length refuse what the expression gives for the rows that are to do? Reads every row, locks none.
-- A unique index, a foreign key and a trigger are not tried. A BEFORE trigger may change what is refused here: then it is unseen.
CREATE OR REPLACE FUNCTION pg_temp.values_refused(target regclass, filled name, expression text, todo text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    part record;
    rule record;
    place tid;
    shown text;
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
               CASE WHEN own.sized THEN format('rtrim((%s)::text) = rtrim(CAST((%1$s) AS %s)::text)', expression, own.cast_to)
                   ELSE 'true' END AS fits,
               (SELECT string_agg(CASE WHEN attname = filled THEN format('CAST((%s) AS %s) AS %I', expression, own.cast_to, filled)
                                      ELSE quote_ident(attname) END, ', ')
                FROM pg_attribute WHERE attrelid = relid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS stored,
               (SELECT string_agg(format(', (%s) AS %I', pg_get_expr(adbin, adrelid), attname), '' ORDER BY attnum)
                FROM pg_attribute JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                WHERE attrelid = relid AND NOT attisdropped AND attgenerated <> '') AS generated
        FROM member
        JOIN pg_class ON pg_class.oid = relid AND relkind = 'r'
        CROSS JOIN LATERAL (
            SELECT format_type(atttypid, atttypmod) AS cast_to,
                   typcategory IN ('S', 'V') AND (atttypmod <> -1 OR typtypmod <> -1) AS sized
            FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid
            WHERE attrelid = relid AND attname = filled
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
                EXECUTE format('SELECT left((%4$I.*)::text, 200)
                                FROM (SELECT own.*%1$s FROM (SELECT %2$s, tableoid FROM ONLY %3$s AS %4$I WHERE %5$s) AS own) AS %4$I
                                WHERE NOT (%6$s) LIMIT 1',
                               part.generated, part.stored, part.relation, part.relname, todo, rule.condition) INTO shown;
            EXCEPTION WHEN undefined_function THEN
                CONTINUE;  -- it looks at the row as a whole
            END;
            IF shown IS NOT NULL THEN
                RETURN format('%s%I of %s refuses what the expression makes of a row: %s',
                              part.verdict, rule.conname, part.relation, shown);
            END IF;
        END LOOP;
    END LOOP;
    RETURN 'ok';
END
$$;
