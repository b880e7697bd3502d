-- The receipt of Apply: what it made, and what was there before. Roll back goes by it. It is the comment of an
-- empty large object: any role may make one, it is part of the transaction, and no dump of the schema shows it.
CREATE OR REPLACE FUNCTION pg_temp.receipt_number(catalog regclass, target oid, what text) RETURNS oid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT ('x' || left(md5(format('%s %s %s', catalog::oid, target, what)), 8))::bit(32)::bigint::oid
$body$;

CREATE OR REPLACE FUNCTION pg_temp.receipt_owner(catalog regclass, target oid) RETURNS oid
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT CASE catalog WHEN 'pg_type'::regclass THEN (SELECT typowner FROM pg_type WHERE oid = target)
               ELSE (SELECT relowner FROM pg_class WHERE oid = target) END
$body$;

-- What the receipt says; NULL when there is none, or none from a role that may act as the owner of the target.
CREATE OR REPLACE FUNCTION pg_temp.receipt(catalog regclass, target oid, what text) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $body$
    SELECT substr(description, length('pgrehearse receipt ') + 1)::jsonb
    FROM pg_largeobject_metadata AS kept
    JOIN pg_description ON classoid = 'pg_largeobject'::regclass AND objoid = kept.oid
    WHERE kept.oid = pg_temp.receipt_number(catalog, target, what)
      AND starts_with(description, 'pgrehearse receipt ')
      AND pg_has_role(lomowner, pg_temp.receipt_owner(catalog, target), 'USAGE')
$body$;

CREATE OR REPLACE FUNCTION pg_temp.drop_receipt(catalog regclass, target oid, what text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $body$
    SELECT lo_unlink(pg_temp.receipt_number(catalog, target, what))
    WHERE pg_temp.receipt(catalog, target, what) IS NOT NULL
$body$;

-- Keeps a receipt, in place of an earlier one.
CREATE OR REPLACE FUNCTION pg_temp.keep_receipt(catalog regclass, target oid, what text, content jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    number CONSTANT oid := pg_temp.receipt_number(catalog, target, what);
    about CONSTANT jsonb := jsonb_build_object('what', what, 'of', (pg_identify_object(catalog, target, 0)).identity);
BEGIN
    PERFORM pg_temp.drop_receipt(catalog, target, what);
    PERFORM lo_create(number);
    EXECUTE format('COMMENT ON LARGE OBJECT %s IS %L', number, concat('pgrehearse receipt ', about || content));
    BEGIN  -- whoever may act as the owner can roll back
        EXECUTE format('ALTER LARGE OBJECT %s OWNER TO %I', number,
                       pg_get_userbyid(pg_temp.receipt_owner(catalog, target)));
    EXCEPTION WHEN insufficient_privilege THEN
        NULL;
    END;
END
$body$;
