#!/usr/bin/env bash
# After ADD COLUMN a prepared SELECT * fails in SQLAlchemy's and node-postgres's pools; one repetition hides it.
#
# Program   SQLAlchemy 2.1.9 and Django 5.2.19 with psycopg 3.3.9, pg 8.23.1 of npm; PostgreSQL 18.6
# Tried     a pool of one runs SELECT * ten times; a column is added; three requests. Then again with every request in a
#           function that repeats it once when the SQLSTATE is 0A000 or the connection was lost
# Seen      SQLAlchemy: psycopg has prepared it after five times, and one request of each connection fails, in spite of
#           pool_pre_ping. node-postgres with a named statement: the same. Django prepares nothing by default, and none
#           fails. Repeated once on a new connection, none fails anywhere
# Matters   an additive change breaks the application that runs, until its connections are new. Name the columns, or
#           repeat once
. "$(dirname "$0")/lib.sh"
postgresql
python_package "psycopg[binary]==3.3.9" "sqlalchemy==2.1.9" "django==5.2.19"
npm install --silent --no-audit --no-fund --prefix "$work/node" "pg@8.23.1" >/dev/null
cluster prod
export work
table() { sql prod "set client_min_messages = warning; drop table if exists prices; create table prices (euros int); insert into prices values (5)"; }

cat >alchemy.py <<'PYTHON'
import os, sys
from sqlalchemy import create_engine, exc, text
url = f"postgresql+psycopg://postgres@/postgres?host={os.environ['work']}/prod"
engine = create_engine(url, pool_size=1, pool_pre_ping=True)

def once_more(work):
    """work(connection) in a transaction; a second time, on new connections, when the old ones are stale."""
    try:
        with engine.begin() as connection:
            return work(connection)
    except exc.DBAPIError as error:
        if not (error.connection_invalidated or error.orig.sqlstate == "0A000"):
            raise
        engine.dispose()
        with engine.begin() as connection:
            return work(connection)

def plain(work):
    with engine.begin() as connection:
        return work(connection)

def ask():
    try:
        (once_more if "once" in sys.argv else plain)(lambda c: c.execute(text("SELECT * FROM prices")).all())
    except exc.DBAPIError:
        return 1
    return 0

assert not any(ask() for _ in range(10))
other = create_engine(url)
with other.begin() as connection:
    connection.execute(text("ALTER TABLE prices ADD COLUMN currency text"))
print("SQLAlchemy:", sum(ask() for _ in range(3)), "of 3 requests failed")
PYTHON
table
expect 0 "1 of 3 requests failed" python3 alchemy.py
table
expect 0 "0 of 3 requests failed" python3 alchemy.py once

cat >application.py <<'PYTHON'
import os
import django
from django.conf import settings
settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "HOST": f"{os.environ['work']}/prod", "NAME": "postgres", "USER": "postgres",
    "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}})
django.setup()
from django.db import Error, connection
def ask(statement="SELECT * FROM prices"):
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except Error:
        return 1
    return 0
assert not any(ask() for _ in range(10))
ask("ALTER TABLE prices ADD COLUMN currency text")
print("Django:", sum(ask() for _ in range(3)), "of 3 requests failed")
PYTHON
table
expect 0 "0 of 3 requests failed" python3 application.py

cat >node/app.js <<'JAVASCRIPT'
const { Client, Pool } = require('pg');
const where = { host: `${process.env.work}/prod`, user: 'postgres', database: 'postgres' };
const pool = new Pool({ ...where, max: 1 });
pool.on('error', () => {});
const STALE = new Set(['0A000', '57P01']);
// Without a SQLSTATE it is the connection that failed. pool.query throws the client away after any error.
const onceMore = (query) => pool.query(query).catch((error) => {
  if (error.code && !STALE.has(error.code) && !/^E[A-Z]+$/.test(error.code)) throw error;
  return pool.query(query);
});
const ask = process.argv[2] === 'once' ? onceMore : (query) => pool.query(query);
const prices = { name: 'prices', text: 'SELECT * FROM prices' };
(async () => {
  for (let request = 0; request < 10; request++) await ask(prices);
  const other = new Client(where);
  await other.connect();
  await other.query('ALTER TABLE prices ADD COLUMN currency text');
  await other.end();
  let errors = 0;
  for (let request = 0; request < 3; request++) await ask(prices).catch(() => { errors += 1; });
  console.log(`node-postgres: ${errors} of 3 requests failed`);
  await pool.end();
})();
JAVASCRIPT
table
expect 0 "1 of 3 requests failed" node node/app.js
table
expect 0 "0 of 3 requests failed" node node/app.js once
