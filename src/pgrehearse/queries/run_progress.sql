-- How far the statement of the session {pid} is: what it does, and how many units of how many are done.
SELECT p.command AS what, p.phase, u.unit,
       CASE u.unit WHEN 'transactions' THEN p.lockers_done WHEN 'rows' THEN p.tuples_done ELSE p.blocks_done END AS done,
       CASE u.unit WHEN 'transactions' THEN p.lockers_total WHEN 'rows' THEN p.tuples_total ELSE p.blocks_total END
           AS total
  FROM pg_catalog.pg_stat_progress_create_index AS p
 CROSS JOIN LATERAL (SELECT CASE WHEN p.phase OPERATOR(pg_catalog.~~) 'waiting%' THEN 'transactions'
                                 WHEN p.phase OPERATOR(pg_catalog.~~) '%tuples%' THEN 'rows'
                                 ELSE 'blocks' END AS unit) AS u
 WHERE p.pid OPERATOR(pg_catalog.=) {pid}
UNION ALL
SELECT 'ANALYZE', p.phase, 'blocks', p.sample_blks_scanned, p.sample_blks_total
  FROM pg_catalog.pg_stat_progress_analyze AS p WHERE p.pid OPERATOR(pg_catalog.=) {pid}
UNION ALL
SELECT 'VACUUM', p.phase, 'blocks', p.heap_blks_scanned, p.heap_blks_total
  FROM pg_catalog.pg_stat_progress_vacuum AS p WHERE p.pid OPERATOR(pg_catalog.=) {pid}
UNION ALL
SELECT p.command, p.phase, 'blocks', p.heap_blks_scanned, p.heap_blks_total
  FROM pg_catalog.pg_stat_progress_cluster AS p WHERE p.pid OPERATOR(pg_catalog.=) {pid}
UNION ALL
SELECT p.command, p.type, 'rows', p.tuples_processed, NULL::pg_catalog.int8
  FROM pg_catalog.pg_stat_progress_copy AS p WHERE p.pid OPERATOR(pg_catalog.=) {pid}
