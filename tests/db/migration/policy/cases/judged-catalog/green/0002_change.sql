-- migrate:up

CREATE TABLE pg_search_documents (n int);
COMMENT ON TABLE pg_search_documents IS 'Of this application: its name begins with pg_.';
INSERT INTO pg_search_documents VALUES (1);
UPDATE pg_settings SET setting = '2s' WHERE name = 'lock_timeout';
SELECT 'UPDATE pg_class SET relname = 1', count(*) FROM pg_class;

-- migrate:down

SELECT 1;
