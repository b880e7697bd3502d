-- migrate:up

SET LOCAL lock_timeout = '2s';
CREATE POLICY more ON lists FOR SELECT USING (n = 1);

-- migrate:down

SELECT 1;
