-- migrate:up

CREATE FUNCTION only_reads(lowest int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  many bigint;
BEGIN
  -- no ALTER TABLE here
  IF lowest > 0 THEN
    SELECT count(*) INTO many FROM items WHERE price > lowest AND note <> 'DROP TABLE items';
  ELSE
    EXECUTE format('SELECT count(*) FROM %I WHERE price > $1', 'items') INTO many USING lowest;
  END IF;
  RETURN many;
END $$;
CREATE FUNCTION never_called() RETURNS void LANGUAGE plpgsql AS $$
BEGIN IF false THEN ALTER TABLE items ADD seen int; END IF; END $$;
COMMENT ON FUNCTION never_called() IS 'never_called() is for the day when it is needed';
CREATE FUNCTION does_it() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM items WHERE id > 0 LIMIT 1) THEN
    ALTER TABLE items ADD done int; ALTER TABLE items ADD done2 int;
  END IF;
  EXECUTE 'ALTER TABLE ' || quote_ident('items') || ' ADD done3 int';
END $$;
CREATE FUNCTION does_it_in_sql() RETURNS void LANGUAGE sql AS 'ALTER TABLE items ADD done4 int; SELECT';
CREATE FUNCTION lower(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION stamps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.note = '' THEN NEW.note := 'alter table'; UPDATE items SET price = 1 WHERE id = -1; END IF;
  RETURN NEW;
END $$;
CREATE TABLE stamped (note text);
CREATE TRIGGER stamps BEFORE INSERT ON stamped FOR EACH ROW EXECUTE FUNCTION stamps();

-- migrate:down

SELECT 1;
