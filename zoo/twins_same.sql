/*
title = "What the runbooks would make is there already, exactly so"
required = "owner"
[column-add]
column = "quota"
[constraint-check]
constraint = "item_qty_check"
[constraint-unique]
constraint = "item_code_key"
[constraint-foreign-key]
constraint = "item_owner_fkey"
[index-create]
index = "item_name_qty_idx"
[enum-add-value]
label = "cancelled"
[enum-add-value-in-order]
label = "shipped"
[constraint-primary-key]
constraint = "item_pkey"
columns = "id"
*/
-- [set up]
ALTER TABLE item ADD COLUMN quota integer NOT NULL DEFAULT 7;
COMMENT ON COLUMN item.quota IS 'From before.';
ALTER TABLE item ADD CONSTRAINT item_qty_check CHECK (qty > -1);
ALTER TABLE item ADD CONSTRAINT item_code_key UNIQUE (code);
COMMENT ON CONSTRAINT item_code_key ON item IS 'From before.';
ALTER TABLE item ADD CONSTRAINT item_owner_fkey FOREIGN KEY (owner) REFERENCES person;
CREATE INDEX item_name_qty_idx ON item (name, qty);
COMMENT ON INDEX item_name_qty_idx IS 'From before.';
