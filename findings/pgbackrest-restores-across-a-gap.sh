#!/usr/bin/env bash
# pgbackrest info, verify and restore are content with an archive that lacks a WAL segment in the middle.
#
# Program   pgBackRest 2.60 with PostgreSQL 18.6 (2.45 with 15.18 likewise)
# Tried     a full backup, three segments written afterwards, the middle one removed from the archive; restore
# Seen      info: "status: ok", one archive range from first to last; verify: "status: ok"; restore: exit 0; the server
#           opens for writing with the rows up to the gap, and drops everything that came after
# Matters   the restore after a failed migration silently ends before it, hours early. Name a recovery target behind
#           what you need, so that recovery fails instead, and read a row back that was written last
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
start-fast=y
repo1-retention-full=2
[shop]
pg1-path=$work/prod/data
pg1-socket-path=$work/prod
CONF
backrest() { pgbackrest --config="$work/pgbackrest.conf" --stanza=shop "$@"; }
pgbackrest version
backrest stanza-create
sql prod "create table wishlists (id int)"
backrest --type=full backup
gap=
for n in 1 2 3; do
  sql prod "insert into wishlists values ($n)"
  [ "$n" != 2 ] || gap=$(sql prod "select pg_walfile_name(pg_current_wal_lsn())")
  sql prod "select pg_switch_wal()" >/dev/null
done
backrest check
halt prod
rm "$(find "$work/repo/archive" -name "$gap-*")"

expect 0 "status: ok" backrest info
expect 0 "status: ok" backrest --output=text --verbose verify
mkdir "$work/copy"
expect 0 "^$" backrest --pg1-path="$work/copy/data" --archive-mode=off restore
serve copy
recovered() { [ "$(sql copy "select pg_is_in_recovery()")" = f ]; }
awaits "the end of recovery" recovered
same "rows restored of 1, 2, 3" "1" "$(sql copy "select string_agg(id::text, ', ' order by id) from wishlists")"
