-- migrate:up

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = '';
ALTER TABLE public.base ADD COLUMN more integer;

-- migrate:down

SELECT 1;
