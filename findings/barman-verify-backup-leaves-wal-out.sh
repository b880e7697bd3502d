#!/usr/bin/env bash
# barman verify-backup and check pass a backup whose WAL is gone; only check-backup sees it.
#
# Program   Barman 3.19.1 with PostgreSQL 18.6
# Tried     a backup by streaming; the WAL it needs removed from Barman's folder, with all later WAL and without;
#           verify-backup, check and check-backup each time
# Seen      verify-backup: "backup successfully verified" (by pg_verifybackup without WAL), exit 0; check: exit 0;
#           check-backup with all WAL gone: exit 0 (its state goes back to WAITING_FOR_WALS); only with a later segment
#           still there "At least one WAL file is missing", exit 1
# Matters   a gate that runs "barman verify-backup" before a migration passes a backup that cannot start. Read the
#           state after check-backup, and restore
. "$(dirname "$0")/lib.sh"
postgresql
python_package --no-deps barman==3.19.1 psycopg2-binary==2.9.13 python-dateutil==2.9.0.post0 six==1.17.0
cluster prod
mkdir -p "$work/barman" "$work/conf.d"
cat >"$work/barman.conf" <<CONF
[barman]
barman_user = $(id -un)
barman_home = $work/barman
configuration_files_directory = $work/conf.d
log_file = $work/barman.log
log_level = WARNING
[shop]
description = shop
conninfo = host=$work/prod user=postgres dbname=postgres
streaming_conninfo = host=$work/prod user=postgres
backup_method = postgres
streaming_archiver = on
slot_name = barman
create_slot = auto
path_prefix = $(dirname "$(command -v postgres)")
CONF
man() { barman -c "$work/barman.conf" "$@"; }
barman --version
man -q cron
awaits "the receiver of WAL" sh -c "test \$(psql -X -At -h $work/prod -c 'select count(*) from pg_stat_replication') = 1"
sql prod "create table wishlists (id int)"
expect 0 "" man switch-wal --force --archive shop
expect 0 "Backup completed" man backup --wait shop
expect 0 "backup successfully verified" man verify-backup shop latest
expect 0 "" man check-backup shop latest
needed=$(man list-files --target wal shop latest | grep -E '/[0-9A-F]{24}$' | head -n 1)
sql prod "create table orders (id int)"
expect 0 "" man switch-wal --force --archive shop
mkdir "$work/away"
mv "$(dirname "$needed")"/* "$work/away"
expect 0 "backup successfully verified" man verify-backup shop latest
expect 0 "" man check shop
expect 0 "^$" man check-backup shop latest
expect 0 "WAITING_FOR_WALS" man list-backups shop
mv "$work/away"/* "$(dirname "$needed")"
rm "$needed"
expect 0 "backup successfully verified" man verify-backup shop latest
expect 1 "At least one WAL file is missing" man check-backup shop latest
