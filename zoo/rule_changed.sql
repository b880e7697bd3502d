/*
title = "A CHECK whose function has changed since, so that rows from before cannot be written"
nullable = "remark"
fill = "name"
*/
-- [set up]
CREATE FUNCTION item_light(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 > -10; END';
ALTER TABLE item ADD COLUMN remark text;
ALTER TABLE item ALTER COLUMN remark SET DEFAULT 'none';
UPDATE item SET weight = -5, state = 'shipped' WHERE id BETWEEN 290 AND 295;
ALTER TABLE item ADD CONSTRAINT item_weight_check CHECK (item_light(weight));
CREATE OR REPLACE FUNCTION item_light(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 > -1; END';

-- [holds]
SELECT count(*) = 6 FROM item WHERE weight = -5;
