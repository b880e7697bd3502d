/*
title = "Constraints NOT ENFORCED, and a NOT NULL that is NOT VALID"
majors = [18]
required = "place_nn"
[constraint-foreign-key]
constraint = "item_owner_fkey"
[constraint-check]
constraint = "item_qty_check"
*/
-- [set up]
ALTER TABLE item ADD CONSTRAINT item_qty_check CHECK (qty > -1) NOT ENFORCED;
ALTER TABLE item ADD CONSTRAINT item_owner_fkey FOREIGN KEY (owner) REFERENCES person NOT ENFORCED;
ALTER TABLE item ADD COLUMN place_nn text DEFAULT 'x';
ALTER TABLE item ADD CONSTRAINT item_place_nn NOT NULL place_nn NOT VALID;
UPDATE item SET owner = 1;
