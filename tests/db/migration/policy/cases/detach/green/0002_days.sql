-- migrate:up

-- allow: comment What stays with a table that leaves its parent is what is tried here.
CREATE TABLE days (at date PRIMARY KEY, stays int CHECK (stays > 0)) PARTITION BY RANGE (at);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- migrate:down

SELECT 1;
