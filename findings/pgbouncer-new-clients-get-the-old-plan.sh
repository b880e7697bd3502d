#!/usr/bin/env bash
# After ALTER TABLE ... ADD COLUMN, clients that connect to PgBouncer later fail with 0A000 as well.
#
# Program   PgBouncer 1.24 (max_prepared_statements 200 by default), psycopg 3.3.9, PostgreSQL 18.6
# Tried     a client prepares SELECT * FROM t by the protocol and leaves; a column is added; a new client prepares it
# Seen      the new one: ERROR: cached plan must not change result type, each time, until RECONNECT on the console
# Matters   drivers heal by reconnecting, and that does not help here: the server connection is another's. Send
#           RECONNECT after the migration, and name columns in place of *
NEEDS=pgbouncer-1.24
. "$(dirname "$0")/lib.sh"
postgresql
python_package "psycopg[binary]==3.3.9"
cluster prod
sql prod "create table t (a int)"
pooler pgbouncer prod transaction
asked() {
  python3 -c '
import os, psycopg
with psycopg.connect(os.environ["pooled"], autocommit=True) as client:
    print(len(client.execute("SELECT * FROM t", prepare=True).description), "columns")'
}
expect 0 "1 columns" asked
sql prod "alter table t add column b int"
expect 1 "cached plan must not change result type" asked
expect 1 "cached plan must not change result type" asked
console "RECONNECT"
expect 0 "2 columns" asked
