/*
title = "Functions and a procedure name the table in their text"
index = "item_name_idx"
*/
-- [set up]
CREATE FUNCTION item_total(wanted text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    found item.qty%TYPE := 0;
    one item;
BEGIN
    FOR one IN SELECT * FROM item WHERE code = wanted LOOP
        found := found + one.qty;
    END LOOP;
    RETURN found + (SELECT count(*) FROM item WHERE note IS NULL AND state = 'paid' AND place = wanted);
END $$;
CREATE PROCEDURE item_add(number integer) LANGUAGE sql AS $$
    INSERT INTO item (id, owner, code, name, note, qty, place)
    VALUES (number, 1, 'p' || number, 'By procedure', 'p', 2, 'A; B')
$$;
CREATE FUNCTION item_names() RETURNS SETOF item LANGUAGE sql STABLE BEGIN ATOMIC
    SELECT item.* FROM item WHERE item.qty > 2;
END;

-- [traffic]
SELECT item_total('c1');
CALL item_add(130000 + :n);
SELECT count(*) FROM item_names();
