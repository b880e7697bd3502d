/*
title = "A trigger function that reads and sets columns by their names"
column = "qty"
nullable = "note"
*/
-- [set up]
CREATE TABLE item_log (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item integer, what text);
CREATE FUNCTION item_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.qty IS DISTINCT FROM OLD.qty OR (NEW.state <> OLD.state AND OLD.state = 'new') THEN
        NEW.weight := coalesce(NEW.weight, 1);
        INSERT INTO item_log (item, what) VALUES (NEW.id, NEW.place || NEW.owner);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER item_kept BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION item_kept();

-- [holds]
SELECT count(*) > 10 FROM item_log;
