-- The part of what databases have in common that only superusers see: kind, name, value. Takes: others.
SELECT 'password of' AS kind, a.rolname::pg_catalog.text AS name, pg_catalog.md5(a.rolpassword) AS value
  FROM pg_catalog.pg_authid AS a WHERE a.rolpassword IS NOT NULL AND a.rolname !~ %(others)s
UNION ALL
SELECT 'server setting', f.name, pg_catalog.concat_ws(',', f.setting, f.sourcefile, f.sourceline, f.error)
  FROM pg_catalog.pg_file_settings AS f
UNION ALL
SELECT 'rule of pg_hba.conf', h.line_number::pg_catalog.text, ROW (h.*)::pg_catalog.text
  FROM pg_catalog.pg_hba_file_rules AS h
UNION ALL
SELECT 'subscription', s.subname, s.subconninfo FROM pg_catalog.pg_subscription AS s
UNION ALL
SELECT 'file in the data directory', f.name, ''
  FROM pg_catalog.pg_ls_dir('.') AS f (name) WHERE f.name !~ '[.](pid|tmp)$'
