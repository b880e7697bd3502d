-- Roles that this database mentions, those that have their rights, and those that every database must
-- fear. Takes: named, ignored.
WITH RECURSIVE here AS (SELECT oid, datdba, datacl FROM pg_catalog.pg_database
    WHERE datname = pg_catalog.current_database()),
mentioned AS (
    SELECT s.refobjid AS oid FROM pg_catalog.pg_shdepend AS s, here
     WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass
       AND (s.dbid = here.oid OR (s.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
           AND s.objid = here.oid))
    UNION SELECT datdba FROM here
    UNION SELECT s.setrole FROM pg_catalog.pg_db_role_setting AS s, here WHERE s.setdatabase = here.oid
    UNION SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ANY (%(named)s)
    UNION SELECT oid FROM pg_catalog.pg_roles WHERE (rolsuper OR rolbypassrls) AND rolcanlogin
    UNION SELECT m.member FROM pg_catalog.pg_auth_members AS m
     WHERE m.roleid IN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname IN ('pg_read_all_data',
         'pg_write_all_data'))
), closed AS (
    SELECT oid FROM mentioned
     WHERE oid NOT IN (SELECT g.oid FROM pg_catalog.pg_roles AS g WHERE {promotion_role})
    UNION SELECT m.member FROM pg_catalog.pg_auth_members AS m JOIN closed AS c ON m.roleid = c.oid
)
SELECT r.oid, r.rolname FROM closed AS c JOIN pg_catalog.pg_roles AS r USING (oid)
 WHERE r.oid >= 16384 AND r.rolname <> ALL (%(ignored)s)
