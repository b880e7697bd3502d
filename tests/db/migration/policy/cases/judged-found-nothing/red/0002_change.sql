-- migrate:up

SET LOCAL lock_timeout = '2s';
ALTER TABLE IF EXISTS only_on_production ALTER price TYPE bigint; -- red: judged
ALTER INDEX IF EXISTS only_on_production_idx RENAME TO other_idx; -- red: judged

-- migrate:down

SELECT 1;
