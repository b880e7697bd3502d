-- migrate:up

SET LOCAL lock_timeout = '2s';

ALTER TABLE accounts RENAME TO users;
CREATE VIEW accounts AS SELECT * FROM users;

-- migrate:down

SELECT 1;
