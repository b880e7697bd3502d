#!/usr/bin/env bash
# DETACH PARTITION ... CONCURRENTLY leaves a CHECK of the bounds on the partition in 18, and none in 19.
#
# Program   PostgreSQL 18.6 and 19rc1
# Tried     a partition detached CONCURRENTLY; a row outside its old bounds; ATTACH PARTITION; DROP CONSTRAINT of the CHECK
# Seen      18 keeps visit_2026_day_check, refuses the row, and attaches without reading the partition. 19 keeps none and
#           takes the row; attaching reads the whole partition, and fails for the row. DROP CONSTRAINT ends with 42704
# Matters   attaching again holds ACCESS EXCLUSIVE on the partition for as long as the scan takes; a wrong row is noticed
#           only then; a migration that drops or comments on the CHECK passes on one major alone. Add the CHECK by hand
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
bounds="for values from ('2026-01-01') to ('2027-01-01')"
attach="alter table visit attach partition visit_2026 $bounds"
wrong="insert into visit_2026 values ('2030-01-01')"
detached() {
  cluster "$1"
  sql "$1" "create table visit (day date not null) partition by range (day)"
  sql "$1" "create table visit_2026 partition of visit $bounds"
  sql "$1" "insert into visit select '2026-05-05' from generate_series(1, 1000)"
  sql "$1" "alter table visit detach partition visit_2026 concurrently"
  checks=$(sql "$1" "select conname from pg_constraint where conrelid = 'visit_2026'::regclass and contype = 'c'")
}

echo "with $(postgres --version)"
detached new
same "19, CHECKs that are left" "" "$checks"
expect 0 "^$" sql new "$wrong"
expect 1 'partition constraint of relation "visit_2026" is violated' sql new "$attach"
sql new "delete from visit_2026 where day = '2030-01-01'"
PGOPTIONS="-c client_min_messages=debug1" expect 0 'verifying table "visit_2026"' sql new "$attach"
expect 1 "does not exist" sql new "alter table visit_2026 drop constraint visit_2026_day_check"
halt new

postgresql
detached old
same "18, CHECKs that are left" "visit_2026_day_check" "$checks"
expect 1 "violates check constraint" sql old "$wrong"
PGOPTIONS="-c client_min_messages=debug1" expect 0 'is implied by existing constraints' sql old "$attach"
expect 0 "^$" sql old "alter table visit_2026 drop constraint visit_2026_day_check"
