-- migrate:up

CREATE TABLE "Event" (at date NOT NULL, n integer) PARTITION BY RANGE (at);
CREATE TABLE event_2026 PARTITION OF "Event" FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');

-- migrate:down

SELECT 1;
