-- Gives a new session the settings and the role that an earlier one had.
DO $body$
DECLARE
    wanted CONSTANT pg_catalog.jsonb := {wanted};
    one pg_catalog.record;
BEGIN
    FOR one IN SELECT pg_catalog.substr(w.key, 9) AS name, w.value FROM pg_catalog.jsonb_each_text(wanted) AS w
                WHERE pg_catalog.starts_with(w.key, 'setting ') AND w.value IS NOT NULL
    LOOP
        PERFORM pg_catalog.set_config(one.name, one.value, false);
    END LOOP;
    IF pg_catalog.jsonb_object_field_text(wanted, 'role')
       OPERATOR(pg_catalog.<>) pg_catalog.current_setting('role') THEN
        PERFORM pg_catalog.set_config('role', pg_catalog.jsonb_object_field_text(wanted, 'role'), false);
    END IF;
END
$body$
