-- migrate:up

CREATE TABLE days (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- migrate:down

SELECT 1;
