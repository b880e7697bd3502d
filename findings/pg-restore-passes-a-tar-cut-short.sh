#!/usr/bin/env bash
# pg_restore reads and loads half of a dump in tar format and exits 0.
#
# Program   pg_dump and pg_restore 18.6
# Tried     a dump with --format=tar cut in the middle of the rows of a table; pg_restore --list, then --exit-on-error
#           into an empty database
# Seen      no message and exit 0 from both; the rows before the cut are committed, with the keys
# Matters   a disk that was full while the dump was written is seen by no exit status. A whole tar file ends with 1,024
#           zero bytes, and tar -tf of one that was cut fails: look at it, or take the custom format
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
sql prod "create table wishlists (id int primary key, owner text); insert into wishlists select n, 'owner ' || n from generate_series(1, 50000) n"
sql prod "create database cut"
expect 0 "" pg_dump -h "$work/prod" -F tar -f "$work/whole.tar"
head -c "$(($(stat -c %s "$work/whole.tar") / 2))" "$work/whole.tar" >"$work/cut.tar"
expect 0 "wishlists" pg_restore --list "$work/cut.tar"
expect 0 "" pg_restore --exit-on-error -h "$work/prod" -d cut "$work/cut.tar"
rows=$(PGDATABASE=cut sql prod "select count(*) from wishlists")
same "rows are missing" yes "$([ "$rows" -gt 0 ] && [ "$rows" -lt 50000 ] && echo yes || echo "$rows")"
same "its primary keys" 1 "$(PGDATABASE=cut sql prod "select count(*) from pg_index where indrelid = 'wishlists'::regclass")"
expect 2 "Unexpected EOF" tar -tf "$work/cut.tar"
