/*
title = "Two columns of one enum in one table, one more in another"
*/
-- [set up]
ALTER TABLE item ADD COLUMN was item_state DEFAULT 'cancelled';
CREATE TABLE parcel (id integer PRIMARY KEY, state item_state NOT NULL);
INSERT INTO parcel SELECT number, 'shipped' FROM generate_series(1, 20) AS number;

-- [traffic]
INSERT INTO parcel VALUES (100 + :n, 'new');
UPDATE item SET was = 'cancelled' WHERE id = 5;
SELECT count(*) FROM item WHERE was = state;

-- [holds]
SELECT count(*) = 20 FROM parcel WHERE state::text = 'shipped';
