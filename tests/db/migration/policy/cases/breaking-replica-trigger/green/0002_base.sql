-- migrate:up

CREATE FUNCTION stay() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE kept (n integer);
CREATE TRIGGER stays BEFORE UPDATE ON kept FOR EACH ROW EXECUTE FUNCTION stay();

-- migrate:down

SELECT 1;
