-- Raises PGR01 when the session is not as an earlier one was; sent after session_state, in its transaction.
DO $body$
DECLARE
    wanted CONSTANT pg_catalog.jsonb := {wanted};
    state CONSTANT pg_catalog.jsonb := pg_catalog.current_setting('pgrehearse.session_state');
    found pg_catalog.text;
BEGIN
    SELECT pg_catalog.string_agg(k.name, ', ' ORDER BY k.name) INTO found FROM (
        SELECT w.key FROM pg_catalog.jsonb_each(wanted) AS w
         WHERE w.value::pg_catalog.text OPERATOR(pg_catalog.<>)
               coalesce(pg_catalog.jsonb_object_field(state, w.key)::pg_catalog.text, '')
        UNION
        SELECT s.key FROM pg_catalog.jsonb_each(state) AS s
         WHERE s.value::pg_catalog.text OPERATOR(pg_catalog.<>)
               coalesce(pg_catalog.jsonb_object_field(wanted, s.key)::pg_catalog.text, '')
    ) AS k (name);
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'what the session of the earlier run had cannot be made again: %', found
            USING ERRCODE = 'PGR01';
    END IF;
END
$body$
