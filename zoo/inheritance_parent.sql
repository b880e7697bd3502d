/*
title = "A table with children that inherit from it"
*/
-- [set up]
CREATE TABLE item_big (volume integer) INHERITS (item);
ALTER TABLE item_big ADD PRIMARY KEY (id);
INSERT INTO item_big
SELECT 1000 + number, 1, 'b' || number, 'Big ' || number, NULL, number, 'Yard; Town', 1, 'shipped', number
FROM generate_series(1, 40) AS number;

-- [traffic]
INSERT INTO item_big (id, owner, code, name, note, place, volume)
VALUES (120000 + :n, 1, 'b1' || :n, 'Big', 'added', 'Yard; Town', 3);
UPDATE item SET qty = qty + 1 WHERE id = 1001 + :n;
UPDATE item SET state = 'paid' WHERE id = 1003;
