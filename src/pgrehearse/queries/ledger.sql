-- The ledger's own tables. public.schema_migrations is dbmate's.
CREATE TABLE pgrehearse.attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    version text NOT NULL,
    name text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('up', 'down')),
    sha256 text NOT NULL,
    who text NOT NULL DEFAULT session_user,
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished timestamptz,
    outcome text NOT NULL DEFAULT 'running'
        CHECK (outcome IN ('running', 'done', 'failed', 'interrupted', 'adopted')),
    error text
);
CREATE TABLE pgrehearse.statement (
    attempt bigint NOT NULL REFERENCES pgrehearse.attempt ON DELETE CASCADE,
    number int NOT NULL,
    line int NOT NULL,
    sql text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('running', 'done', 'failed', 'rolled back')),
    milliseconds double precision,
    lock_wait_ms double precision,
    wal_bytes bigint,
    rows bigint,
    rewritten text[] NOT NULL DEFAULT '{}',
    tries int NOT NULL DEFAULT 1,
    PRIMARY KEY (attempt, number)
);
COMMENT ON TABLE pgrehearse.attempt IS 'One try to apply or undo a migration; adopted: found applied.';
COMMENT ON TABLE pgrehearse.statement IS 'What the statements of an attempt cost.';
COMMENT ON COLUMN pgrehearse.statement.wal_bytes IS 'WAL of the whole server while the statement ran.';
COMMENT ON COLUMN pgrehearse.statement.tries IS 'How often it was sent, to the answer that counts.';
