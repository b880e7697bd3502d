-- Says that a runbook is rolled back, by others than pgrehearse run: what it has done there counts no more.
DO $body$
DECLARE
    made pg_catalog.int8;
BEGIN
    IF pg_catalog.to_regclass('pgrehearse.step') IS NOT NULL THEN
        INSERT INTO pgrehearse.run (runbook, work, given, parameters, phases, environment, place, outcome)
        VALUES ({runbook}, '', '', '{}', ARRAY['Roll back'], '', '', 'stopped') RETURNING id INTO made;
        INSERT INTO pgrehearse.step (run, line, statement, generated, phase, digest, outcome, of_the_session)
        VALUES (made, 0, 0, 0, 'Roll back', '', 'begun', false);
    END IF;
END
$body$
