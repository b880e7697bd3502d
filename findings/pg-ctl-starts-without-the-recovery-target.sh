#!/usr/bin/env bash
# pg_ctl says "server started" and exits 0 although the recovery target is never reached.
#
# Program   pg_ctl and postgres 18.6
# Tried     a base backup is restored with a recovery_target_name that no restore point has
# Seen      pg_ctl -w start: "server started", exit 0, while the server still replays; then
#           FATAL: recovery ended before configured recovery target was reached, and the server is gone
# Matters   "restore to just before the migration" looks done when it is not. Read pg_is_in_recovery() and the state of
#           the target from the server, after recovery has ended, and never the word of pg_ctl
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod "archive_mode = on" "archive_command = 'cp %p $work/archive/%f'"
mkdir "$work/archive"
pg_basebackup -h "$work/prod" -D "$work/copy/data" -c fast
sql prod "create table wishlists (id int); select pg_create_restore_point('before_migration')"
sql prod "select pg_switch_wal()" >/dev/null
awaits "the archive" sh -c "test \$(ls $work/archive | wc -l) -ge 3"
# The last segment comes slowly, as from a network: pg_ctl looks before recovery ends.
settings copy "archive_mode = off" "hot_standby = on" "recovery_target_name = 'before_migratoin'" \
  "restore_command = 'sleep 1; cp $work/archive/%f %p'"
touch "$work/copy/data/recovery.signal"
expect 0 "server started" pg_ctl -D "$work/copy/data" -l "$work/copy/log" -w start -o "-c listen_addresses= -k $work/copy"
gone() { ! pg_ctl -D "$work/copy/data" status; }
awaits "the end of recovery" gone
expect 0 "recovery ended before configured recovery target was reached" grep -E "FATAL" "$work/copy/log"
