#!/usr/bin/env bash
# alembic check calls a database up to date whose unique index is INVALID and whose foreign key is NOT ENFORCED.
#
# Program   Alembic 1.16.5 with SQLAlchemy 2.0.43 and psycopg 3.2.10, PostgreSQL 18.6
# Tried     a model with a unique index and a foreign key. In one database the index was built CONCURRENTLY over
#           duplicates and failed; in another the foreign key was added NOT ENFORCED
# Seen      "No new upgrade operations detected.", exit status 0, for both. Duplicates and orphans are in the tables, and
#           more are let in. What is gone is told, status 255
# Matters   alembic check in CI is taken for "the database is what the models say". A failed build is the usual way to
#           an INVALID index, and its name is there. Ask pg_index for indisvalid and pg_constraint for conenforced, too
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
python_package alembic==1.16.5 sqlalchemy==2.0.43 "psycopg[binary]==3.2.10"

mkdir versions
cat >alembic.ini <<'INI'
[alembic]
script_location = .
INI
cat >env.py <<'PY'
import os
from alembic import context
from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, Table, Text, create_engine

models = MetaData()
client = Table("client", models, Column("id", Integer, primary_key=True), Column("email", Text))
Index("client_email", client.c.email, unique=True)
Table("bill", models, Column("client_id", Integer, ForeignKey("client.id", name="bill_client")))

engine = create_engine(f"postgresql+psycopg://postgres@/{os.environ['DB']}?host={os.environ['PGHOST']}")
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=models)
    with context.begin_transaction():
        context.run_migrations()
PY
check() { DB=$1 PGHOST=$work/prod alembic check; }
in_() { psql -X -q -At -h "$work/prod" -d "$1" -c "$2"; }
tables="CREATE TABLE client (id serial PRIMARY KEY, email text); CREATE TABLE bill (client_id int)"
key="ALTER TABLE bill ADD CONSTRAINT bill_client FOREIGN KEY (client_id) REFERENCES client"

sql prod "CREATE DATABASE invalid"
in_ invalid "$tables; $key"
in_ invalid "INSERT INTO client (email) VALUES ('a'), ('a')"
expect 1 "could not create unique index" in_ invalid "CREATE UNIQUE INDEX CONCURRENTLY client_email ON client (email)"
same "the index is valid" f "$(in_ invalid "SELECT indisvalid FROM pg_index WHERE indexrelid = 'client_email'::regclass")"
expect 0 "No new upgrade operations detected" check invalid
in_ invalid "INSERT INTO client (email) VALUES ('a')"

sql prod "CREATE DATABASE orphans"
in_ orphans "$tables; $key NOT ENFORCED; CREATE UNIQUE INDEX client_email ON client (email)"
in_ orphans "INSERT INTO bill VALUES (4711)"
same "bills of nobody" 1 "$(in_ orphans "SELECT count(*) FROM bill WHERE client_id NOT IN (SELECT id FROM client)")"
expect 0 "No new upgrade operations detected" check orphans

# The control: what is not there is told.
in_ orphans "ALTER TABLE bill DROP CONSTRAINT bill_client"
expect 255 "add_fk" check orphans
in_ invalid "DROP INDEX client_email"
expect 255 "add_index" check invalid
