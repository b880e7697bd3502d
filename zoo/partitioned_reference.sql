/*
title = "A partitioned table references it: by day, once more by hash, and a foreign key with a name of its own"
*/
-- [set up]
CREATE TABLE visit (
    day date NOT NULL,
    item integer,
    note text,
    FOREIGN KEY (item) REFERENCES item ON DELETE CASCADE
) PARTITION BY RANGE (day);
CREATE TABLE visit_q1 PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO ('2026-04-01');
CREATE TABLE "Visit q2" PARTITION OF visit FOR VALUES FROM ('2026-04-01') TO ('2026-07-01') PARTITION BY HASH (day);
CREATE TABLE visit_q2a PARTITION OF "Visit q2" FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE visit_q2b PARTITION OF "Visit q2" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX visit_item_idx ON visit (item, day);
ALTER TABLE visit_q1 RENAME CONSTRAINT visit_item_fkey TO "visit_q1's item";
COMMENT ON CONSTRAINT "visit_q1's item" ON visit_q1 IS 'Of the first quarter.';
INSERT INTO visit SELECT date '2026-01-01' + number % 180, number, 'x' FROM generate_series(1, 150) AS number;

-- [traffic]
INSERT INTO visit VALUES ('2026-01-05', 61, 'a'), ('2026-05-05', 62, 'b'), ('2026-05-06', 63, 'c');
UPDATE visit SET day = day + 90 WHERE item = 70 + :n AND day < '2026-04-01';
DELETE FROM item WHERE id = 10 + :n;

-- [holds]
SELECT count(*) = 0 FROM visit LEFT JOIN item ON item.id = visit.item WHERE item.id IS NULL;
