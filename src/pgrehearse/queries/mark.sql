-- Bytes, because a comment is shared with databases of other encodings: what is no text here could not be
-- read. Sent as one message, so that the encoding is changed for these statements only.
SET LOCAL client_encoding = 'SQL_ASCII';
SELECT pg_catalog.textsend(d.datname::pg_catalog.text),
       pg_catalog.textsend((
           SELECT one.setting
             FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.unnest(s.setconfig) AS one(setting)
            WHERE s.setdatabase OPERATOR(pg_catalog.=) d.oid AND s.setrole OPERATOR(pg_catalog.=) 0
              AND pg_catalog.starts_with(one.setting, 'pgrehearse.environment='))),
       pg_catalog.textsend((
           SELECT c.description
             FROM pg_catalog.pg_shdescription AS c
            WHERE c.objoid OPERATOR(pg_catalog.=) d.oid
              AND c.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_database'::pg_catalog.regclass))
  FROM pg_catalog.pg_database AS d
 WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
