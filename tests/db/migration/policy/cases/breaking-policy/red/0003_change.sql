-- migrate:up

SET LOCAL lock_timeout = '2s';
CREATE POLICY less ON lists AS RESTRICTIVE USING (n > 1); -- red: breaking

-- migrate:down

SELECT 1;
