-- Runs of runbooks that were not brought to their end: of each runbook with the same values, whatever came last.
-- A run that nobody carries out any more is lost; one whose steps were applied is not verified until a run of
-- Verify was done after it. {runs} is the class of the locks that runs hold.
WITH last AS (
    SELECT DISTINCT ON (r.runbook, r.given) r.*
      FROM pgrehearse.run AS r ORDER BY r.runbook, r.given, r.id DESC
), busy AS (
    SELECT EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {runs}
                      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                         WHERE d.datname = pg_catalog.current_database())) AS busy
), judged AS (
    SELECT l.*, CASE WHEN l.outcome = 'stopped' THEN 'stopped'
                     WHEN l.outcome = 'running' AND NOT b.busy THEN 'lost'
                     WHEN l.outcome = 'done' AND 'Apply' = ANY (l.phases) AND NOT 'Verify' = ANY (l.phases)
                         THEN 'not verified' END AS problem
      FROM last AS l, busy AS b
)
SELECT runbook, problem, who, started, phases FROM judged WHERE problem IS NOT NULL ORDER BY id DESC LIMIT 100
