-- migrate:up

SET LOCAL lock_timeout = '2s';
DO $$ BEGIN IF current_database() <> 'prod' THEN ALTER TABLE items ALTER note SET DEFAULT 'x'; END IF; END $$;
DO $$ BEGIN IF current_database() = 'prod' THEN RAISE EXCEPTION 'ALTER TABLE items is for another day'; END IF; END $$;
DO $$ BEGIN /* not an ALTER TABLE */ CREATE TYPE tint AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN PERFORM 'truncate' FROM items WHERE id = 1; END $$;
-- allow: judged It widens the type where releases before 2020 left a short one; those have a hundred rows.
DO $$ BEGIN IF current_database() = 'prod' THEN ALTER TABLE items ALTER price TYPE bigint; END IF; END $$;

-- migrate:down

SELECT 1;
