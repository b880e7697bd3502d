/*
title = "An enum in functions, casts and a trigger of an open session"
*/
-- [set up]
CREATE FUNCTION item_count(wanted item_state DEFAULT 'new') RETURNS bigint LANGUAGE sql STABLE
AS $$ SELECT count(*) FROM public.item WHERE state = wanted $$;
CREATE FUNCTION item_checked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was item_state := OLD.state;
    wanted item.state%TYPE;
BEGIN
    wanted := NEW.state;
    IF was = 'shipped' AND wanted = 'new' THEN
        NEW.note := 'returned';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER item_checked BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION item_checked();

-- [traffic]
SELECT item_count('paid') > 0;
UPDATE item SET state = 'paid' WHERE id = 250;
