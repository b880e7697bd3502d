/*
title = "Published, and the subscriber has what the runbook will add"
subscriber = true
[column-add]
subscribers = "ready"
[enum-add-value]
subscribers = "ready"
[enum-add-value-in-order]
subscribers = "ready"
*/
-- [set up]
RESET ROLE;
CREATE PUBLICATION zoo_publication FOR TABLE item, person;
SET ROLE zoo_owner;

-- [subscriber]
ALTER TABLE item ADD COLUMN zoo_added integer;
ALTER TABLE item ADD COLUMN qty_new bigint, ADD COLUMN qty_old integer;
ALTER TABLE item ADD COLUMN zoo_first text, ADD COLUMN zoo_second text, ADD COLUMN state_new text;
ALTER TABLE item ALTER COLUMN qty TYPE bigint;
ALTER TYPE item_state ADD VALUE 'zoo_added';
