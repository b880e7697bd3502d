/*
title = "An audit trigger that writes every row as JSON"
*/
-- [set up]
CREATE SCHEMA audit;
CREATE TABLE audit.log (item text, operation text, was jsonb, is_now jsonb);
CREATE FUNCTION audit.noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit.log
    VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(OLD) -> 'id', to_jsonb(NEW) -> 'id');
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER noted AFTER INSERT OR DELETE ON item FOR EACH ROW EXECUTE FUNCTION audit.noted();

-- [holds]
SELECT count(*) > 10 AND bool_and(item = 'item') FROM audit.log;
