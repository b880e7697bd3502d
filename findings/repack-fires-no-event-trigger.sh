#!/usr/bin/env bash
# No event trigger fires for REPACK: a log of DDL does not see that a table was copied.
#
# Program   PostgreSQL 19rc1
# Tried     event triggers on ddl_command_start, ddl_command_end and table_rewrite; REPACK in both forms; ALTER TYPE
# Seen      REPACK leaves no entry; the rewriting ALTER TABLE leaves three
# Matters   an audit of what rewrote a table, or took ACCESS EXCLUSIVE, misses the new command
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
echo "with $(postgres --version)"
cluster prod
sql prod "create table orders (id int primary key); create table log (event text)"
sql prod "create function note() returns event_trigger language plpgsql as \$\$ begin insert into log values (tg_event); end \$\$"
for event in ddl_command_start ddl_command_end table_rewrite; do
  sql prod "create event trigger on_$event on $event execute function note()"
done
sql prod "truncate log"
sql prod "repack orders"
sql prod "repack (concurrently) orders"
same "entries after REPACK" "" "$(sql prod "select event from log")"
sql prod "alter table orders alter column id type bigint"
same "entries after ALTER TABLE" "3" "$(sql prod "select count(distinct event) from log")"
