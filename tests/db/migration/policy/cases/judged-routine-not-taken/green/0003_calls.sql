-- migrate:up

SET LOCAL lock_timeout = '2s';
SELECT only_reads(1), only_reads(-1);
SELECT lower(1), lower('A');
INSERT INTO stamped VALUES ('a');
-- allow: judged It was called by hand on a copy of production.
SELECT CASE WHEN count(*) > 1000000 THEN never_called() END FROM items;
SELECT does_it();
SELECT does_it_in_sql();

-- migrate:down

SELECT 1;
