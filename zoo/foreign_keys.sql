/*
title = "Foreign keys in, out, to itself and to a partitioned table"
column = "owner"
type = "integer"
new_type = "bigint"
pkey = "code"
fkey = "parent"
target = "item"
required = "owner"
index = "item_owner_idx"
*/
-- [set up]
ALTER TABLE item ADD COLUMN parent integer REFERENCES item ON DELETE SET NULL;
UPDATE item SET parent = id / 2 WHERE id BETWEEN 2 AND 150;
ALTER TABLE item ADD FOREIGN KEY (owner) REFERENCES person ON UPDATE CASCADE;
CREATE TABLE depot (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE depot_1 PARTITION OF depot FOR VALUES FROM (0) TO (1000);
INSERT INTO depot SELECT generate_series(0, 20);
ALTER TABLE item ADD FOREIGN KEY (qty) REFERENCES depot;
CREATE TABLE parcel (id integer PRIMARY KEY, item integer REFERENCES item ON DELETE CASCADE);
INSERT INTO parcel SELECT number, number FROM generate_series(1, 30) AS number;
INSERT INTO depot SELECT generate_series(21, 200);

-- [traffic]
INSERT INTO parcel VALUES (1000 + :n, 60);
DELETE FROM item WHERE id = 10 + :n;

-- [holds]
SELECT bool_and(qty BETWEEN 0 AND 200) FROM item;
