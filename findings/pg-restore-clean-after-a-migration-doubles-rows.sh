#!/usr/bin/env bash
# pg_restore --clean of a dump from before a migration doubles the rows of a table the migration made others depend on.
#
# Program   pg_dump and pg_restore 18.6
# Tried     a dump is taken; a migration adds a view of an old table; pg_restore --clean "rolls back"
# Seen      the primary key is dropped, DROP TABLE fails because of the view, COPY goes on into the table that is still
#           full: every row is there twice, so the key cannot be made again; "errors ignored on restore: 3", exit 1
# Matters   --clean is no rollback of a migration. Restore into a new database, look, and swap
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
sql prod "create table wishlists (id int primary key); insert into wishlists select generate_series(1, 100)"
pg_dump -h "$work/prod" -Fc -f "$work/before.dump"
sql prod "create view wishlist_numbers as select id from wishlists"
expect 1 "errors ignored on restore" pg_restore -h "$work/prod" -d postgres --clean --if-exists "$work/before.dump"
same "rows of wishlists, of which there were 100" 200 "$(sql prod "select count(*) from wishlists")"
same "primary keys of wishlists" 0 "$(sql prod "select count(*) from pg_index where indrelid = 'wishlists'::regclass")"
