-- Who gets the rows of the table or of its children, and with which columns? Does it get rows itself?
WITH RECURSIVE member AS (
    SELECT to_regclass(:'table')::oid AS relid
    UNION
    SELECT inhrelid FROM pg_inherits JOIN member ON inhparent = relid
), published AS (
    SELECT DISTINCT pub.pubname,
           EXISTS (SELECT FROM pg_publication_rel
                   WHERE prpubid = pub.oid AND prattrs IS NOT NULL
                     AND prrelid IN (SELECT relid FROM member)) AS some_columns
    FROM member
    JOIN pg_class AS class ON class.oid = member.relid
    JOIN pg_namespace AS home ON home.oid = class.relnamespace
    JOIN pg_publication_tables AS shown ON shown.schemaname = home.nspname AND shown.tablename = class.relname
    JOIN pg_publication AS pub ON pub.pubname = shown.pubname
)
SELECT CASE
           WHEN EXISTS (SELECT FROM pg_subscription_rel WHERE srrelid IN (SELECT relid FROM member))
               THEN 'stop: the table gets its rows by a subscription; change the publisher first'
           WHEN :'subscribers' = 'ready' THEN 'ok'
           WHEN EXISTS (SELECT FROM published WHERE NOT some_columns)
               THEN 'stop: published by ' || (SELECT string_agg(quote_ident(pubname), ', ') FROM published
                                              WHERE NOT some_columns)
                    || '; make the new columns on every subscriber first, then give subscribers=ready'
           ELSE 'ok'
       END AS preflight;
