/*
title = "An enum that stands in an array, a default and a domain elsewhere"
*/
-- [set up]
CREATE DOMAIN item_open AS item_state CHECK (VALUE <> 'shipped');
CREATE TABLE filter (
    id integer PRIMARY KEY,
    states item_state[] NOT NULL DEFAULT '{new,paid}',
    first item_open
);
INSERT INTO filter VALUES (1, '{new,shipped}', 'new'), (2, '{cancelled}', 'paid'), (3, DEFAULT, NULL);

-- [traffic]
INSERT INTO filter (id) VALUES (100 + :n);
SELECT count(*) FROM item, filter WHERE filter.id = 3 AND item.state = ANY (filter.states);

-- [holds]
SELECT states[2]::text = 'shipped' FROM filter WHERE id = 1;
SELECT states[1]::text = 'cancelled' FROM filter WHERE id = 2;
