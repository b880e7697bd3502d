/*
title = "Deferrable keys: unique at the commit only"
unique_name = "item_code_key"
pkey = "code"
[constraint-foreign-key]
columns = "code"
target = "item"
target_columns = "code"
*/
-- [set up]
ALTER TABLE item ADD CONSTRAINT item_code_key UNIQUE (code) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE item DROP CONSTRAINT item_pkey;
ALTER TABLE item ADD CONSTRAINT item_pkey PRIMARY KEY (id) ;

-- [traffic]
UPDATE item SET code = CASE code WHEN 'c1' THEN 'c2' ELSE 'c1' END WHERE code IN ('c1', 'c2');
