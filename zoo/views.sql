/*
title = "Views, a view on a view, SELECT *, a rule and a materialized view name the table"
*/
-- [set up]
CREATE VIEW item_all AS SELECT * FROM item;
CREATE VIEW item_open AS SELECT id, qty, state FROM item_all WHERE state IN ('new', 'paid');
CREATE MATERIALIZED VIEW item_sums AS SELECT owner, sum(qty) AS qty FROM item GROUP BY owner;
CREATE TABLE item_gone (id integer, qty integer);
CREATE RULE item_kept AS ON DELETE TO item DO ALSO INSERT INTO item_gone VALUES (OLD.id, OLD.qty);

-- [traffic]
SELECT sum(qty) FROM item_open;
UPDATE item_all SET qty = qty + 1 WHERE id = 9;
SELECT count(*) FROM item_sums;

-- [holds]
SELECT count(*) > 10 FROM item_gone;
