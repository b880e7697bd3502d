-- The last attempts that sent something, newest first, each with what its statements cost together. Takes: how
-- many.
SELECT a.version, a.name, a.direction, a.who, a.started, a.finished, a.outcome, a.error,
       (SELECT pg_catalog.count(*)::int FROM pgrehearse.attempt AS b
         WHERE b.version = a.version AND b.direction = a.direction AND b.outcome <> 'adopted' AND b.id <= a.id
           AND b.id > coalesce((SELECT pg_catalog.max(d.id) FROM pgrehearse.attempt AS d
                                 WHERE d.version = a.version AND d.outcome IN ('done', 'adopted')
                                   AND d.id < a.id), 0)) AS tries,
       coalesce(s.milliseconds, 0)::double precision AS milliseconds, coalesce(s.wal_bytes, 0)::bigint AS wal_bytes,
       coalesce(s.lock_wait_ms, 0)::double precision AS lock_wait_ms, coalesce(s.rewritten, '{}') AS rewritten
  FROM (SELECT * FROM pgrehearse.attempt WHERE outcome <> 'adopted' ORDER BY id DESC LIMIT %(most)s) AS a
  LEFT JOIN LATERAL (
      SELECT pg_catalog.sum(t.milliseconds) AS milliseconds, pg_catalog.sum(t.wal_bytes) AS wal_bytes,
             pg_catalog.max(t.lock_wait_ms) AS lock_wait_ms,
             (SELECT pg_catalog.array_agg(DISTINCT r.name ORDER BY r.name)
                FROM pgrehearse.statement AS o, pg_catalog.unnest(o.rewritten) AS r (name)
               WHERE o.attempt = a.id) AS rewritten
        FROM pgrehearse.statement AS t WHERE t.attempt = a.id) AS s ON true
 ORDER BY a.id DESC
