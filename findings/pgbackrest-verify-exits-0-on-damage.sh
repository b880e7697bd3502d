#!/usr/bin/env bash
# pgbackrest verify exits 0 when a file of the backup is damaged or gone, and prints nothing unless asked for text.
#
# Program   pgBackRest 2.60 with PostgreSQL 18.6 (2.45 with 15.18 likewise)
# Tried     a full backup; two bytes of one file in the repository changed, another file removed; pgbackrest verify
# Seen      exit 0 and no output; with --output=text --verbose "status: error", "missing: 1", "checksum invalid: 1", and exit 0
# Matters   a job that verifies the backup before a migration is green on a backup that cannot be restored. Read the
#           status in the text, and restore
NEEDS=pgbackrest-2.60
. "$(dirname "$0")/lib.sh"
postgresql
mkdir -p "$work/repo" "$work/logs"
cluster prod "archive_mode = on" "archive_command = 'pgbackrest --config=$work/pgbackrest.conf --stanza=shop archive-push %p'"
cat >"$work/pgbackrest.conf" <<CONF
[global]
repo1-path=$work/repo
log-path=$work/logs
lock-path=$work/logs
log-level-console=warn
compress-type=none
start-fast=y
repo1-retention-full=2
[shop]
pg1-path=$work/prod/data
pg1-socket-path=$work/prod
CONF
backrest() { pgbackrest --config="$work/pgbackrest.conf" --stanza=shop "$@"; }
pgbackrest version
backrest stanza-create
sql prod "create table wishlists (id int, owner text); insert into wishlists select n, 'owner ' || n from generate_series(1, 10000) n"
backrest --type=full backup
expect 0 "status: ok" backrest --output=text --verbose verify

first=$(sql prod "select pg_relation_filepath('wishlists')")
second=$(sql prod "select pg_relation_filepath('pg_proc')")
python3 - "$(find "$work/repo/backup" -path "*/$first" -not -path '*/latest/*')" <<'PY'
import pathlib, sys
path = pathlib.Path(sys.argv[1]); data = bytearray(path.read_bytes())
data[9000:9002] = b"??"; path.write_bytes(data)
PY
expect 0 "^$" backrest verify
expect 0 "checksum invalid: 1" backrest --output=text --verbose verify
rm "$(find "$work/repo/backup" -path "*/$second" -not -path '*/latest/*')"
expect 0 "missing: 1" backrest --output=text --verbose verify
