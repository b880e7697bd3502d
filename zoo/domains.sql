/*
title = "Domains, ranges and arrays; an exclusion constraint"
column = "amount"
type = "amount"
new_type = "numeric"
nullable = "amount"
fill = "7.00::amount"
index = "item_during_idx"
unique = "tags"
condition = "amount < 100000 AND NOT 'z' = ANY (tags)"
required = "code_d"
pkey = "code_d"
index_columns = "tags, amount"
*/
-- [set up]
CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE >= 0);
CREATE DOMAIN code_domain AS text NOT NULL CHECK (VALUE <> '');
ALTER TABLE item ADD COLUMN amount amount DEFAULT 5;
ALTER TABLE item ADD COLUMN code_d code_domain DEFAULT 'd';
ALTER TABLE item ADD COLUMN during int4range;
ALTER TABLE item ADD COLUMN tags text[] DEFAULT '{a}';
UPDATE item SET amount = NULL WHERE id % 3 = 0;
UPDATE item SET during = int4range(id * 10, id * 10 + 5), code_d = 'd' || id WHERE id % 4 > 0;
CREATE INDEX item_during_idx ON item USING gist (during);
ALTER TABLE item ADD CONSTRAINT item_during_excl EXCLUDE USING gist (during WITH &&);

-- [traffic]
UPDATE item SET amount = amount + 0.01, tags = tags || '{b}' WHERE id = 7;
