-- What a backup is proven by, and the receipts that say it was. Who owns the tables adds rows and changes none.
CREATE TABLE pgrehearse.canary (
    id uuid PRIMARY KEY DEFAULT pg_catalog.gen_random_uuid(),
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    lsn pg_lsn NOT NULL DEFAULT pg_catalog.pg_current_wal_insert_lsn(),
    who text NOT NULL DEFAULT session_user,
    tables jsonb NOT NULL
);
CREATE TABLE pgrehearse.receipt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    who text NOT NULL DEFAULT session_user,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    receipt jsonb NOT NULL
);
REVOKE UPDATE, DELETE, TRUNCATE ON pgrehearse.canary, pgrehearse.receipt FROM CURRENT_USER;
-- Who may read the ledger, or takes part in promotions, may read these: the gate asks for them.
DO $body$
DECLARE
    reader record;
BEGIN
    FOR reader IN
        SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC'
               ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)) END AS name
          FROM pg_catalog.pg_class AS c, LATERAL pg_catalog.aclexplode(c.relacl) AS a
         WHERE c.oid = pg_catalog.to_regclass('pgrehearse.attempt') AND a.privilege_type = 'SELECT'
           AND a.grantee <> c.relowner
        UNION
        SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee))
          FROM pg_catalog.pg_namespace AS n, LATERAL pg_catalog.aclexplode(n.nspacl) AS a
         WHERE n.nspname = 'pgrehearse_promotion' AND a.privilege_type = 'USAGE'
           AND a.grantee NOT IN (0, n.nspowner)
    LOOP
        EXECUTE 'GRANT USAGE ON SCHEMA pgrehearse TO ' || reader.name;
        EXECUTE 'GRANT SELECT ON pgrehearse.canary, pgrehearse.receipt TO ' || reader.name;
    END LOOP;
END
$body$;
COMMENT ON TABLE pgrehearse.canary IS 'A row is written before each backup, and read back from its copy.';
COMMENT ON TABLE pgrehearse.receipt IS 'What was proven of each backup of this database.';
