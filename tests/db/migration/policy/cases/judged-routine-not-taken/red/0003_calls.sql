-- migrate:up

SET LOCAL lock_timeout = '2s';
SELECT by_name(); -- red: judged
SELECT by_another(); -- red: judged
SELECT CASE WHEN count(*) > 1000000 THEN in_sql() END FROM items; -- red: judged
SELECT by_text(''); -- red: judged
SELECT undone(); -- red: judged
INSERT INTO counted DEFAULT VALUES; -- red: judged
CREATE TRIGGER watch BEFORE INSERT ON counted FOR EACH ROW EXECUTE FUNCTION with_rows();
INSERT INTO counted VALUES (1); -- red: judged
INSERT INTO counted SELECT 1 WHERE false; -- red: judged
PREPARE later AS SELECT by_name();
EXECUTE later; -- red: judged
DO $$ BEGIN PERFORM by_name(); END $$; -- red: judged

-- migrate:down

SELECT 1;
