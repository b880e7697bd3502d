-- What depends on the enum type? Function texts are only searched for quoted labels.
WITH RECURSIVE family AS (
    SELECT oid, typarray FROM pg_type WHERE oid = :'type'::regtype
    UNION
    SELECT derived.oid, derived.typarray
    FROM family
    JOIN pg_type AS derived ON derived.oid = family.typarray OR derived.typbasetype = family.oid
), dependent AS (
    SELECT classid, objid, objsubid, 'names the type' AS why
    FROM pg_depend
    WHERE refclassid = 'pg_type'::regclass
      AND refobjid IN (SELECT oid FROM family)
      AND NOT (classid = 'pg_type'::regclass AND deptype = 'i')
    UNION ALL
    SELECT depend.classid, depend.objid, depend.objsubid, 'reads the column'
    FROM pg_attribute AS attribute
    JOIN pg_depend AS depend ON depend.refclassid = 'pg_class'::regclass
                            AND depend.refobjid = attribute.attrelid
                            AND depend.refobjsubid = attribute.attnum
    WHERE attribute.atttypid IN (SELECT oid FROM family)
    UNION ALL
    SELECT 'pg_proc'::regclass, function.oid, 0, 'text has ' || quote_literal(label.enumlabel)
    FROM pg_proc AS function
    JOIN pg_language AS language ON language.oid = function.prolang
    JOIN pg_enum AS label ON label.enumtypid = :'type'::regtype
    WHERE language.lanname NOT IN ('c', 'internal')
      AND strpos(function.prosrc, quote_literal(label.enumlabel)) > 0
), object AS (
    -- A view is one object, not a rule and its columns.
    SELECT CASE WHEN rule.oid IS NULL THEN classid ELSE 'pg_class'::regclass END AS classid,
           coalesce(rule.ev_class, objid) AS objid,
           CASE WHEN rule.oid IS NULL AND relation.oid IS NULL THEN objsubid ELSE 0 END AS objsubid,
           why
    FROM dependent
    LEFT JOIN pg_rewrite AS rule
        ON classid = 'pg_rewrite'::regclass AND rule.oid = objid AND rule.rulename = '_RETURN'
    LEFT JOIN pg_class AS relation
        ON classid = 'pg_class'::regclass AND relation.oid = objid AND relation.relkind IN ('v', 'm')
)
SELECT identified.type AS kind, identified.identity AS object, min(why) AS why
FROM object
CROSS JOIN LATERAL pg_identify_object(classid, objid, objsubid) AS identified
-- A NOT NULL constraint, an object of its own from 18 on, does not care about the type.
LEFT JOIN pg_constraint AS not_null
    ON classid = 'pg_constraint'::regclass AND not_null.oid = objid AND not_null.contype = 'n'
WHERE not_null.oid IS NULL
GROUP BY identified.type, identified.identity
ORDER BY array_position(ARRAY['table column', 'default value', 'index', 'table constraint',
                              'view', 'materialized view', 'trigger', 'policy', 'function'],
                        identified.type),
         object;
