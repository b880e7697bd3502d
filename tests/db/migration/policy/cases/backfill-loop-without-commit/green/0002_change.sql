-- migrate:up transaction:false

DO $$
BEGIN
    FOR low IN 1..1000 BY 250 LOOP
        UPDATE items SET note = left(title, 40) WHERE id BETWEEN low AND low + 249;
        COMMIT;
    END LOOP;
END
$$;

-- migrate:down

SELECT 1;
