#!/usr/bin/env bash
# After a restart of the server SQLAlchemy and Django fail one request by default, and node-postgres ends the process.
#
# Program   SQLAlchemy 2.1.9 and Django 5.2.19 with psycopg 3.3.9, pg 8.23.1 of npm; PostgreSQL 18.6
# Tried     a connection lies idle in the application while the server restarts; then three requests. Then again with
#           pool_pre_ping, CONN_HEALTH_CHECKS, and a listener for the pool's "error"
# Seen      SQLAlchemy and Django: one error for each idle connection, none with the check. node-postgres: the error
#           of an *idle* client has nobody who listens, and the process exits with 1 before any request; with a
#           listener all requests go well
# Matters   a fail-over during a schema change is met by every pool of the application at once
. "$(dirname "$0")/lib.sh"
postgresql
python_package "psycopg[binary]==3.3.9" "sqlalchemy==2.1.9" "django==5.2.19"
npm install --silent --no-audit --no-fund --prefix "$work/node" "pg@8.23.1" >/dev/null
cluster prod
export work
restart="pg_ctl -D $work/prod/data -w -m fast restart -l $work/prod/log"
export restart

cat >alchemy.py <<'PYTHON'
import os, subprocess, sys
from sqlalchemy import create_engine, exc, text
url = f"postgresql+psycopg://postgres@/postgres?host={os.environ['work']}/prod"
engine = create_engine(url, pool_size=1, pool_pre_ping="check" in sys.argv)
def ask():
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except exc.DBAPIError:
        return 1
    return 0
ask()
subprocess.run(os.environ["restart"].split(), check=True, stdout=subprocess.DEVNULL)
print("SQLAlchemy:", sum(ask() for _ in range(3)), "of 3 requests failed")
PYTHON
expect 0 "1 of 3 requests failed" python3 alchemy.py
expect 0 "0 of 3 requests failed" python3 alchemy.py check

cat >site.py <<'PYTHON'
import os, subprocess, sys
import django
from django.conf import settings
settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "HOST": f"{os.environ['work']}/prod", "NAME": "postgres", "USER": "postgres",
    "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": "check" in sys.argv}})
django.setup()
from django.core.signals import request_finished, request_started
from django.db import Error, connection
def ask():
    request_started.send(sender=None, environ={})
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return 1
    finally:
        request_finished.send(sender=None)
    return 0
ask()
subprocess.run(os.environ["restart"].split(), check=True, stdout=subprocess.DEVNULL)
print("Django:", sum(ask() for _ in range(3)), "of 3 requests failed")
PYTHON
mv site.py application.py   # Python has a module called site
expect 0 "1 of 3 requests failed" python3 application.py
expect 0 "0 of 3 requests failed" python3 application.py check

cat >node/app.js <<'JAVASCRIPT'
const { Pool } = require('pg');
const { exec } = require('child_process');
const pool = new Pool({ host: `${process.env.work}/prod`, user: 'postgres', database: 'postgres', max: 1 });
if (process.argv[2] === 'listener') pool.on('error', () => {});
(async () => {
  await pool.query('SELECT 1');
  await new Promise((done, failed) => exec(process.env.restart, { stdio: 'ignore' }, (error) => (error ? failed(error) : done())));
  let errors = 0;
  for (let request = 0; request < 3; request++) await pool.query('SELECT 1').catch(() => { errors += 1; });
  console.log(`node-postgres: ${errors} of 3 requests failed`);
  await pool.end();
})();
JAVASCRIPT
application() {
  local status=0
  node node/app.js "$@" >said 2>&1 || status=$?
  grep -E "Unhandled|terminating connection due|requests failed" said | cut -c1-100
  return "$status"
}
expect 1 "Unhandled 'error' event|terminating connection due to administrator command" application
up() { sql prod "select 1" || serve prod; }   # the process ended before it had started the server again
awaits "the server" up
expect 0 "0 of 3 requests failed" application listener
