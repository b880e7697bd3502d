-- migrate:up

SET LOCAL lock_timeout = '2s';
SELECT set_config('search_path', '', false);
ALTER TABLE public.base RENAME COLUMN n TO number; -- red: breaking breaking

-- migrate:down

SELECT 1;
