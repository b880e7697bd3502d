/*
title = "A CHECK and an index look at the whole row"
*/
-- [set up]
ALTER TABLE item ADD CONSTRAINT item_whole CHECK (item.* IS NOT NULL OR note IS NULL OR weight IS NULL);
CREATE FUNCTION print_of(item) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT md5($1::text) $$;
CREATE INDEX item_print ON item (print_of(item));

-- [traffic]
SELECT count(*) FROM item WHERE print_of(item) = (SELECT md5(t::text) FROM item AS t WHERE id = 170);
