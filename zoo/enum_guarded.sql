/*
title = "An enum column in a CHECK, a partial index, a default and an expression index"
index = "item_open_idx"
index_columns = "name"
*/
-- [set up]
ALTER TABLE item ADD CONSTRAINT item_state_check CHECK (state <> 'cancelled' OR note IS NOT NULL);
CREATE INDEX item_open_idx ON item (code) WHERE state = 'new';
CREATE INDEX item_rank_idx ON item ((CASE state WHEN 'new' THEN 1 ELSE 2 END));
