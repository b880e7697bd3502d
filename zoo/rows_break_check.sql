/*
title = "A CHECK NOT VALID that rows from before break, so that nobody can write them"
nullable = "remark"
fill = "name"
*/
-- [set up]
ALTER TABLE item ADD COLUMN remark text;
ALTER TABLE item ALTER COLUMN remark SET DEFAULT 'none';
UPDATE item SET weight = -5, state = 'shipped' WHERE id BETWEEN 290 AND 295;
ALTER TABLE item ADD CONSTRAINT item_weight_check CHECK (weight > -1) NOT VALID;

-- [holds]
SELECT count(*) = 6 FROM item WHERE weight = -5;
