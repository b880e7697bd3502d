-- migrate:up

-- allow: comment What stays with a table that leaves its parent is what is tried here.
CREATE TABLE weeks (at date PRIMARY KEY, stays int CHECK (stays > 0)) PARTITION BY RANGE (at);
CREATE TABLE weeks_1 PARTITION OF weeks FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE weeks_rest PARTITION OF weeks DEFAULT;

-- migrate:down

SELECT 1;
