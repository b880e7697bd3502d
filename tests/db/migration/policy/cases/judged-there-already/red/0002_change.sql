-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE items ADD COLUMN IF NOT EXISTS note text DEFAULT gen_random_uuid()::text; -- red: judged
ALTER TABLE items ADD IF NOT EXISTS price integer CHECK (price > 0), ADD IF NOT EXISTS a int; -- red: judged
DO $$ BEGIN ALTER TABLE items ADD COLUMN IF NOT EXISTS title text GENERATED ALWAYS AS ('a') STORED; END $$; -- red: judged
CREATE TABLE IF NOT EXISTS items (id bigint REFERENCES accounts); -- red: judged

-- migrate:down

SELECT 1;
