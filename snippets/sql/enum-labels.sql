-- Which labels does the enum type have, in their sort order?
SELECT row_number() OVER (ORDER BY enumsortorder) AS pos,
       enumlabel AS label
FROM pg_enum
WHERE enumtypid = :'type'::regtype
ORDER BY enumsortorder;
