-- What runs of runbooks did to this database.
CREATE TABLE pgrehearse.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    runbook text NOT NULL,
    work text NOT NULL,
    given text NOT NULL,
    parameters jsonb NOT NULL,
    phases text[] NOT NULL,
    environment text NOT NULL,
    place text NOT NULL,
    who text NOT NULL DEFAULT session_user,
    started timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    finished timestamptz,
    outcome text NOT NULL DEFAULT 'running' CHECK (outcome IN ('running', 'done', 'stopped')),
    continues bigint REFERENCES pgrehearse.run ON DELETE SET NULL
);
CREATE TABLE pgrehearse.step (
    run bigint NOT NULL REFERENCES pgrehearse.run ON DELETE CASCADE,
    line int NOT NULL,
    statement int NOT NULL,
    generated int NOT NULL,
    phase text NOT NULL,
    digest text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('begun', 'done', 'failed')),
    of_the_session boolean NOT NULL,
    state jsonb,
    written timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    position bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (run, line, statement, generated)
);
COMMENT ON TABLE pgrehearse.run IS 'One run of a runbook; written by pgrehearse run.';
COMMENT ON COLUMN pgrehearse.run.work IS 'Digest of the text, the values and the phases.';
COMMENT ON COLUMN pgrehearse.run.given IS 'Digest of the values.';
COMMENT ON COLUMN pgrehearse.run.parameters IS 'The values, without those of parameters that name a secret.';
COMMENT ON COLUMN pgrehearse.run.place IS 'System identifier, timeline, oid of the database.';
COMMENT ON COLUMN pgrehearse.run.continues IS 'The stopped run whose steps were left out.';
COMMENT ON TABLE pgrehearse.step IS
    'A step of Apply or Roll back, or a statement of it; in the transaction of the statement, if it has one.';
COMMENT ON COLUMN pgrehearse.step.statement IS 'Its number in the step; 0 for the whole step.';
COMMENT ON COLUMN pgrehearse.step.generated IS 'Its number among those that \gexec made; 0 for the others.';
COMMENT ON COLUMN pgrehearse.step.outcome IS 'failed: done, and not what the runbook says.';
COMMENT ON COLUMN pgrehearse.step.state IS 'How the session differed from its beginning after it.';
