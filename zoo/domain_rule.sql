/*
title = "New columns of a domain with a rule, or with a default"
nullable = "counted"
fill = "7"
[column-add]
type = "counted"
value = "7"
[column-change-type]
type = "counted"
to_new = "value::counted"
to_old = "value::integer"
[column-split]
first_type = "word"
second_type = "word_given"
*/
-- [set up]
CREATE DOMAIN counted AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN word AS text DEFAULT 'none';
CREATE DOMAIN word_given AS text NOT NULL;
ALTER TABLE item ADD COLUMN counted counted DEFAULT 3;
UPDATE item SET counted = NULL WHERE id % 5 = 0;
