/*
title = "What the runbooks would make is there already, in another form"
required = "note"
pkey = "id"
[column-add]
column = "note"
[constraint-check]
constraint = "item_qty_check"
[constraint-unique]
constraint = "item_code_key"
[constraint-foreign-key]
constraint = "item_owner_fkey"
[index-create]
index = "item_name_idx"
[enum-add-value]
label = "paid"
[enum-add-value-in-order]
label = "cancelled"
[column-rename]
new_name = "note"
[column-split]
first = "note"
[enum-to-lookup-table]
lookup = "person"
[enum-retire-value]
constraint_name = "item_not_shipped"
[constraint-primary-key]
constraint = "item_name_idx"
*/
-- [set up]
ALTER TABLE item ADD CONSTRAINT item_qty_check CHECK (qty > -5) NOT VALID;
ALTER TABLE item ADD CONSTRAINT item_code_key UNIQUE (code, id);
ALTER TABLE item ADD CONSTRAINT item_owner_fkey FOREIGN KEY (owner) REFERENCES person DEFERRABLE NOT VALID;
ALTER TABLE item ADD CONSTRAINT item_not_shipped CHECK (state <> 'shipped' OR qty > -1) NO INHERIT;
