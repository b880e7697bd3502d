-- Which constraints were never checked against all rows?
SELECT coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) AS "on",
       conname AS name,
       CASE contype
           WHEN 'c' THEN 'check'
           WHEN 'f' THEN 'foreign key'
           WHEN 'n' THEN 'not null'
       END AS kind,
       CASE
           WHEN pg_get_constraintdef(oid) LIKE '%NOT ENFORCED' THEN 'NOT ENFORCED'
           ELSE 'NOT VALID'
       END AS state,
       pg_get_constraintdef(oid) AS definition
FROM pg_constraint
WHERE NOT convalidated
ORDER BY 1, 2;
