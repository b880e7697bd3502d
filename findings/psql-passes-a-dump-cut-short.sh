#!/usr/bin/env bash
# psql loads half of a plain dump in one transaction with ON_ERROR_STOP, commits it and exits 0.
#
# Program   pg_dump and psql 18.6
# Tried     a plain dump cut in the middle of the rows of a table; psql -1 -v ON_ERROR_STOP=1 -f; and an empty file
# Seen      end of file ends COPY like the line \. does; the rows before the cut are committed, exit 0; an empty file: exit 0
# Matters   a disk that was full while the dump was written is seen by no exit status of the restore. The last line of a
#           whole dump is "-- PostgreSQL database dump complete": look for it
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
sql prod "create table wishlists (id int primary key, owner text); insert into wishlists select n, 'owner ' || n from generate_series(1, 1000) n"
expect 0 "" pg_dump -h "$work/prod" -f "$work/whole.sql"
line=$(grep -n "^600" "$work/whole.sql" | cut -d: -f1)
head -n "$line" "$work/whole.sql" >"$work/cut.sql"
sql prod "create database cut"
sql prod "create database empty"
expect 0 "" psql -X -q -1 -v ON_ERROR_STOP=1 -h "$work/prod" -d cut -f "$work/cut.sql"
same "rows restored of 1000" 600 "$(PGDATABASE=cut sql prod "select count(*) from wishlists")"
same "its primary keys" 0 "$(PGDATABASE=cut sql prod "select count(*) from pg_index where indrelid = 'wishlists'::regclass")"
: >"$work/empty.sql"
expect 0 "" psql -X -q -1 -v ON_ERROR_STOP=1 -h "$work/prod" -d empty -f "$work/empty.sql"
