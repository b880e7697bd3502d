/*
title = "Triggers of columns, one with a WHEN"
column = "qty"
*/
-- [set up]
CREATE TABLE item_log (item integer, what text);
CREATE FUNCTION item_logged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO item_log (item, what) VALUES (NEW.id, TG_ARGV[0]);
    RETURN NULL;
END $$;
CREATE TRIGGER item_qty AFTER UPDATE OF qty, place ON item FOR EACH ROW
WHEN (NEW.qty > 3 AND (NEW.qty, NEW.place) IS DISTINCT FROM (OLD.qty, OLD.place)) EXECUTE FUNCTION item_logged('many');
CREATE TRIGGER item_state AFTER UPDATE OF state ON item FOR EACH ROW
WHEN (NEW.state = 'paid' AND OLD.state = 'new') EXECUTE FUNCTION item_logged('paid');

-- [holds]
SELECT count(*) > 5 FROM item_log;
