-- migrate:up

CREATE TABLE weeks (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE weeks_1 PARTITION OF weeks FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE weeks_rest PARTITION OF weeks DEFAULT;

-- migrate:down

SELECT 1;
