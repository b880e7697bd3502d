#!/usr/bin/env bash
# A rehearsal on a restored copy that archives puts its timeline into production's archive; the real restore follows it.
#
# Program   PostgreSQL 18.6
# Tried     a base backup is restored to rehearse a migration, with the archive_command it came with; later the real
#           restore of the same backup, with the default recovery_target_timeline = 'latest'
# Seen      the rehearsal's 00000002.history and its WAL land in the archive; the real restore recovers along them: it
#           has the rehearsal's rows and lacks those that production wrote since
# Matters   rehearsing a restore destroyed the restore. Set archive_mode = off before a copy is started for the first time
. "$(dirname "$0")/lib.sh"
postgresql
mkdir "$work/archive"
cluster prod "archive_mode = on" "archive_command = 'test ! -f $work/archive/%f && cp %p $work/archive/%f'"
sql prod "create table wishlists (owner text)"
pg_basebackup -h "$work/prod" -D "$work/backup" -c fast
archived() { [ -z "$(find "$work/$1/data/pg_wal/archive_status" -name '*.ready')" ]; }
restore() {
  mkdir "$work/$1"
  cp -R "$work/backup" "$work/$1/data"
  settings "$1" "restore_command = 'cp $work/archive/%f %p'"
  touch "$work/$1/data/recovery.signal"
  serve "$1"
  awaits "the end of recovery" sh -c "test \$(psql -X -At -h $work/$1 -c 'select pg_is_in_recovery()') = f"
}

restore rehearsal
sql rehearsal "insert into wishlists values ('made up in the rehearsal')"
sql rehearsal "select pg_switch_wal()" >/dev/null
awaits "the rehearsal's archiver" archived rehearsal
halt rehearsal
sql prod "insert into wishlists values ('a customer, after the rehearsal')"
sql prod "select pg_switch_wal()" >/dev/null
awaits "production's archiver" archived prod
halt prod

restore real
same "rows of the real restore" "made up in the rehearsal" "$(sql real "select owner from wishlists")"
