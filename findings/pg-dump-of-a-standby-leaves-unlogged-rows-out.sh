#!/usr/bin/env bash
# pg_dump of a standby leaves the rows of unlogged tables out and says nothing.
#
# Program   pg_dump 18.6
# Tried     one unlogged and one ordinary table; pg_dump of the primary and of its standby
# Seen      both exit 0 without a message; the standby's dump has the unlogged table without rows
# Matters   a dump taken from a standby "to spare the primary" before a migration restores fewer rows than production
#           has. Compare row counts with the primary, or dump the primary
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
sql prod "create table orders (id int); insert into orders select generate_series(1, 10)"
sql prod "create unlogged table sessions (id int); insert into sessions select generate_series(1, 10)"
pg_basebackup -h "$work/prod" -D "$work/standby/data" -c fast -R
serve standby
expect 0 "^$" pg_dump -h "$work/prod" -f "$work/primary.sql"
expect 0 "^$" pg_dump -h "$work/standby" -f "$work/standby.sql"
for name in primary standby; do
  sql prod "create database of_$name"
  psql -X -q -h "$work/prod" -d "of_$name" -f "$work/$name.sql" >/dev/null
done
counts="select (select count(*) from orders) || ' orders, ' || (select count(*) from sessions) || ' sessions'"
same "from the primary" "10 orders, 10 sessions" "$(PGDATABASE=of_primary sql prod "$counts")"
same "from the standby" "10 orders, 0 sessions" "$(PGDATABASE=of_standby sql prod "$counts")"
