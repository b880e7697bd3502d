-- migrate:up

CREATE FUNCTION by_name() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_database() = 'prod' THEN
    ALTER TABLE items ALTER price TYPE bigint;
  END IF;
END $$;
CREATE FUNCTION by_another() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM by_name(); END $$;
CREATE FUNCTION in_sql() RETURNS void LANGUAGE sql AS 'TRUNCATE orders; SELECT';
CREATE FUNCTION by_text(statement text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF statement <> '' THEN EXECUTE statement; END IF;
END $$;
CREATE FUNCTION with_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.price > 1000000 THEN
    EXECUTE format('CREATE INDEX ON %I (price)', TG_TABLE_NAME);
  END IF;
  RETURN NEW;
END $$;
CREATE PROCEDURE in_steps() LANGUAGE plpgsql AS $$
BEGIN
  COMMIT;
  IF (SELECT count(*) FROM items) > 1000000 THEN
    DROP INDEX items_note_idx;
  END IF;
END $$;
CREATE FUNCTION undone() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  LOCK TABLE items IN SHARE MODE;
  RAISE EXCEPTION 'x';
EXCEPTION WHEN OTHERS THEN NULL;
END $$;
CREATE SCHEMA hidden;
CREATE FUNCTION hidden.lower(text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF session_user = 'deploy' THEN ALTER TABLE public.items ADD seen int; END IF;
  RETURN $1;
END $$;
CREATE TABLE counted (price int DEFAULT length(hidden.lower('a')));

-- migrate:down

SELECT 1;
