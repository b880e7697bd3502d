-- Can each row of the published table and of its children be updated, and do subscribers find it? PostgreSQL says so
-- when it plans an UPDATE. A subscriber without a key compares all columns, and stops at a type without equality.
CREATE OR REPLACE FUNCTION pg_temp.updates_are_sent(target regclass) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    published record;
    said text;
BEGIN
    FOR published IN
        WITH RECURSIVE member AS (
            SELECT target::oid AS relid
            UNION
            SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
        )
        SELECT class.oid::regclass AS relation, own.*,
               relreplident = 'f' AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = class.oid AND indisprimary
                                                                         AND indimmediate) AS compared
        FROM member
        JOIN pg_class AS class ON class.oid = relid AND relkind = 'r'
        CROSS JOIN LATERAL (
            SELECT array_agg(attname ORDER BY attnum) AS columns,
                   min(attname::text) FILTER (WHERE attgenerated = '' AND attidentity <> 'a'
                                              AND has_column_privilege(attrelid, attnum, 'UPDATE')) AS some
            FROM pg_attribute WHERE attrelid = relid AND attnum > 0 AND NOT attisdropped
        ) AS own
        WHERE EXISTS (
            SELECT FROM pg_publication_tables AS shown
            JOIN pg_publication AS publication ON publication.pubname = shown.pubname AND pubupdate
            JOIN pg_namespace AS home ON nspname = schemaname
            JOIN pg_class AS listed ON listed.relnamespace = home.oid AND listed.relname = tablename
            WHERE listed.oid = relid OR listed.oid IN (SELECT up.relid FROM pg_partition_ancestors(relid) AS up))
    LOOP
        BEGIN
            EXECUTE format('EXPLAIN UPDATE ONLY %s SET %I = %2$I WHERE false', published.relation, published.some);
        EXCEPTION WHEN object_not_in_prerequisite_state OR invalid_column_reference THEN
            GET STACKED DIAGNOSTICS said = PG_EXCEPTION_DETAIL;
            RETURN concat('stop: no row can be updated: ', SQLERRM, nullif('; ' || said, '; '));
        END;
        FOR place IN 1 .. CASE WHEN published.compared THEN cardinality(published.columns) ELSE 0 END LOOP
            BEGIN
                EXECUTE format('SELECT FROM ONLY %s WHERE false GROUP BY %I', published.relation, published.columns[place]);
            EXCEPTION WHEN undefined_function THEN
                RETURN format('stop: subscribers compare whole rows of %s, and would stop at %I: %s; give the table a primary '
                              'key, here and there', published.relation, published.columns[place], SQLERRM);
            END;
        END LOOP;
    END LOOP;
    RETURN 'ok';
END
$body$;
