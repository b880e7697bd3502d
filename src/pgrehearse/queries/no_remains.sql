-- Raises PGR02 when indexes are INVALID, nobody is building them, and the condition holds for them.
DO $body$
DECLARE
    found pg_catalog.text;
BEGIN
    SELECT pg_catalog.string_agg(i.indexrelid::pg_catalog.regclass::pg_catalog.text, ', ') INTO found
      FROM pg_catalog.pg_index AS i
      JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
     WHERE NOT i.indisvalid AND c.relkind OPERATOR(pg_catalog.=) 'i'
       AND ({condition})
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS p
                        WHERE p.index_relid OPERATOR(pg_catalog.=) i.indexrelid);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'an earlier run was interrupted in this step, and an INVALID index is left: %', found
            USING ERRCODE = 'PGR02';
    END IF;
END
$body$
