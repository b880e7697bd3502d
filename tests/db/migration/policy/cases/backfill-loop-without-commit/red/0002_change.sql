-- migrate:up transaction:false

DO $$ -- red: backfill
BEGIN
    FOR low IN 1..1000 BY 250 LOOP
        UPDATE items SET note = left(title, 40) WHERE id BETWEEN low AND low + 249;
    END LOOP;
END
$$;

-- migrate:down

SELECT 1;
