-- migrate:up

CREATE FUNCTION fills() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  FOR one IN 1..200 LOOP
    UPDATE items SET note = 'x' WHERE id = one;
  END LOOP;
END $$;
SELECT fills(); -- red: backfill

-- migrate:down

SELECT 1;
