-- How large is the table: rows on disk, TOAST, each index, in total? Partitions are listed too.
WITH member AS (
    SELECT :'table'::regclass AS relid
    UNION
    SELECT relid FROM pg_partition_tree(:'table'::regclass)
), part AS (
    SELECT 1 AS pos, 'table' AS part, class.oid::regclass::text AS name,
           pg_table_size(class.oid)
               - coalesce(pg_total_relation_size(nullif(class.reltoastrelid, 0)), 0) AS bytes,
           class.reltuples
    FROM member JOIN pg_class AS class ON class.oid = member.relid
    WHERE class.relkind <> 'p'
    UNION ALL
    SELECT 2, 'toast', class.oid::regclass::text,
           pg_total_relation_size(class.reltoastrelid), NULL
    FROM member JOIN pg_class AS class ON class.oid = member.relid
    WHERE class.reltoastrelid <> 0
    UNION ALL
    SELECT 3, 'index', index.indexrelid::regclass::text,
           pg_relation_size(index.indexrelid), NULL
    FROM member JOIN pg_index AS index ON index.indrelid = member.relid
    JOIN pg_class AS class ON class.oid = index.indexrelid AND class.relkind <> 'I'
    UNION ALL
    SELECT 4, 'total', NULL, sum(pg_total_relation_size(member.relid)), NULL FROM member
)
SELECT part, name, pg_size_pretty(bytes) AS size, bytes,
       CASE WHEN reltuples >= 0 THEN reltuples::bigint END AS rows_estimated
FROM part
ORDER BY pos, name;
