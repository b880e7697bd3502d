/*
title = "Constraints NOT VALID, and an INVALID index of each wanted name"
required = "weight"
unique_name = "zoo_unique_key"
*/
-- [set up]
ALTER TABLE item ADD CONSTRAINT zoo_check CHECK (qty > -1) NOT VALID;
ALTER TABLE item ADD CONSTRAINT zoo_fkey FOREIGN KEY (owner) REFERENCES person NOT VALID;
ALTER TABLE item ADD CONSTRAINT weight_there CHECK (weight IS NOT NULL) NOT VALID NO INHERIT;
CREATE UNIQUE INDEX zoo_unique_key ON item (code);
CREATE INDEX zoo_idx ON item (name, qty);
RESET ROLE;
UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('zoo_idx'::regclass, 'zoo_unique_key'::regclass);
SET ROLE zoo_owner;
