/*
title = "A trigger whose arguments name columns"
column = "name"
type = "text"
new_type = "varchar(80)"
index = "item_qty_idx"
*/
-- [set up]
DROP INDEX item_name_idx;
CREATE INDEX item_qty_idx ON item (qty);
ALTER TABLE item ADD COLUMN words tsvector;
CREATE TRIGGER item_words BEFORE INSERT OR UPDATE ON item FOR EACH ROW
EXECUTE FUNCTION tsvector_update_trigger('words', 'pg_catalog.english', 'name', 'place');
UPDATE item SET words = to_tsvector('pg_catalog.english', name || ' ' || place);

-- [traffic]
SELECT count(*) FROM item WHERE words @@ to_tsquery('english', 'town');

-- [holds]
SELECT bool_and(words IS NOT NULL) FROM item;
