-- A schema with something of every kind, for the tests of drift.
CREATE EXTENSION citext;
CREATE EXTENSION hstore VERSION '1.4';
ALTER EXTENSION hstore UPDATE;
CREATE EXTENSION postgres_fdw;
CREATE SCHEMA app;
COMMENT ON SCHEMA app IS 'the application';
GRANT USAGE ON SCHEMA app TO app_reader, app_writer;

CREATE TYPE app.state AS ENUM ('open', 'paid', 'sent');
CREATE TYPE app.address AS (street text, city text);
CREATE TYPE app.span AS RANGE (subtype = numeric);
CREATE DOMAIN app.email AS citext NOT NULL CONSTRAINT has_at CHECK (VALUE ~ '@');
COMMENT ON DOMAIN app.email IS 'an address';
CREATE COLLATION app.plain (provider = libc, locale = 'C');
CREATE SEQUENCE app.number_seq INCREMENT BY 5 CACHE 10;

CREATE FUNCTION app.tax(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 0.2';
CREATE FUNCTION app.atomic(a int) RETURNS int LANGUAGE sql
    BEGIN ATOMIC SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END; SELECT 3; END;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    -- Name: not a header; Type: TABLE; Schema: public; Owner: nobody
    NEW.changed := now();
    RETURN NEW;
END
$body$;
CREATE FUNCTION app.secret() RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = app, pg_temp
    AS 'BEGIN RETURN 1; END';
CREATE PROCEDURE app.tidy() LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE AGGREGATE app.total(numeric) (SFUNC = numeric_add, STYPE = numeric, INITCOND = '0');
CREATE FUNCTION app.same(app.address, app.address) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR app.=== (LEFTARG = app.address, RIGHTARG = app.address, FUNCTION = app.same);
CREATE FUNCTION app.to_city(app.address) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.city';
CREATE CAST (app.address AS text) WITH FUNCTION app.to_city(app.address) AS ASSIGNMENT;
CREATE OPERATOR CLASS app.reverse_ops FOR TYPE int4 USING btree AS
    OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 btint4cmp(int4, int4);
CREATE TEXT SEARCH CONFIGURATION app.words (COPY = simple);
CREATE TEXT SEARCH DICTIONARY app.dict (TEMPLATE = simple, stopwords = english);
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'a.example', dbname 'b');
CREATE USER MAPPING FOR app_reader SERVER elsewhere OPTIONS (user 'u', password 'first');

CREATE TABLE app.customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mail app.email,
    name text NOT NULL DEFAULT 'a;b',
    home app.address,
    nick text COLLATE app.plain,
    CONSTRAINT customer_mail_key UNIQUE (mail)
);
CREATE TABLE app.invoice (
    id bigserial PRIMARY KEY,
    customer_id bigint NOT NULL CONSTRAINT invoice_customer_fkey REFERENCES app.customer ON DELETE CASCADE,
    state app.state NOT NULL DEFAULT 'open',
    total numeric(12, 2) NOT NULL CHECK (total >= 0),
    gross numeric GENERATED ALWAYS AS (total * 1.2) STORED,
    note text,
    tags text[] DEFAULT '{}',
    changed timestamptz NOT NULL DEFAULT now(),
    code int,
    CONSTRAINT invoice_odd CHECK (CASE WHEN total > 10 THEN note <> ';' ELSE true END)
);
COMMENT ON COLUMN app.invoice.note IS 'for the clerk; not printed';
CREATE INDEX invoice_customer_idx ON app.invoice (customer_id) INCLUDE (total);
COMMENT ON INDEX app.invoice_customer_idx IS 'invoices of a customer';
CREATE INDEX invoice_open_idx ON app.invoice (changed) WHERE state = 'open';
CREATE INDEX invoice_lower_idx ON app.invoice (lower(note), total DESC NULLS LAST);
CREATE UNIQUE INDEX invoice_code_key ON app.invoice (code);
CREATE STATISTICS app.invoice_stat (dependencies) ON customer_id, code FROM app.invoice;
ALTER TABLE app.invoice ADD CONSTRAINT invoice_code_check CHECK (code > 0) NOT VALID;
ALTER TABLE app.invoice ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app.invoice FOR SELECT TO app_reader USING (customer_id = 1);
CREATE TRIGGER touch BEFORE UPDATE ON app.invoice FOR EACH ROW EXECUTE FUNCTION app.touch();
CREATE RULE silent AS ON DELETE TO app.customer DO ALSO (NOTIFY one; NOTIFY two);
GRANT SELECT ON app.invoice TO app_reader;
GRANT SELECT, INSERT, UPDATE (note) ON app.invoice TO app_writer;
ALTER TABLE app.customer OWNER TO app_owner;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO app_reader;

CREATE VIEW app.open_invoice WITH (security_barrier) AS
    SELECT i.id, c.name, i.total FROM app.invoice AS i JOIN app.customer AS c ON c.id = i.customer_id
     WHERE i.state = 'open';
CREATE VIEW app.small AS SELECT id, total FROM app.invoice WHERE total < 10 WITH LOCAL CHECK OPTION;
CREATE VIEW app.grouped AS SELECT id, note, count(*) AS n FROM app.invoice GROUP BY id;
CREATE MATERIALIZED VIEW app.totals AS SELECT customer_id, sum(total) AS total FROM app.invoice GROUP BY 1;
CREATE UNIQUE INDEX totals_key ON app.totals (customer_id);

CREATE TABLE app.event (at timestamptz NOT NULL, body jsonb) PARTITION BY RANGE (at);
CREATE TABLE app.event_2026 PARTITION OF app.event FOR VALUES FROM ('2026-01-01 00:00+00') TO ('2027-01-01 00:00+00');
CREATE TABLE app.event_rest PARTITION OF app.event DEFAULT;
CREATE INDEX event_at_idx ON app.event (at);
CREATE TABLE app.base (id int, label text);
CREATE TABLE app.child (extra int) INHERITS (app.base);
CREATE TABLE app.typed OF app.address;
CREATE FOREIGN TABLE app.remote (id int OPTIONS (column_name 'key'), label text)
    SERVER elsewhere OPTIONS (table_name 'things');
CREATE TABLE app.booking (room int, during int4range, EXCLUDE USING gist (during WITH &&));
CREATE TABLE app.base_key (id int PRIMARY KEY);
CREATE TABLE app.link (
    a int REFERENCES app.base_key DEFERRABLE INITIALLY DEFERRED
);
CREATE PUBLICATION changes FOR TABLE app.invoice (id, total) WITH (publish = 'insert, update');
CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION app.on_ddl();
