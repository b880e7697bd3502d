#!/usr/bin/env bash
# pg_upgrade from a server before 17 leaves every replication slot behind, and ends with status 0: a subscriber stops.
#
# Program   pg_upgrade 18.6, from PostgreSQL 15 (OLD_BINDIR, or /usr/lib/postgresql/15/bin)
# Tried     a publisher of 15 with a logical slot that a subscriber of 18 uses, and a physical one; --check; the upgrade; a row;
#           then a slot of the old name, and one more row
# Seen      --check says "Clusters are compatible"; no slot is there afterwards; the subscriber says "replication slot "fleet"
#           does not exist". With a slot of that name it goes on: what was written after that slot arrives, what was before not
# Matters   rows that the application writes between the upgrade and the new slot reach no subscriber, and nothing says so
. "$(dirname "$0")/lib.sh"
old=${OLD_BINDIR:-/usr/lib/postgresql/15/bin}
[ -x "$old/pg_controldata" ] || { echo "this one needs PostgreSQL 15 with pg_controldata; next: OLD_BINDIR=its bin" >&2; exit 69; }
postgresql
new=$(dirname "$(command -v postgres)")
plain=$PATH

PATH="$old:$plain" cluster before "wal_level = logical"
cluster reader
wish="CREATE TABLE wish (id int PRIMARY KEY)"
sql before "$wish"; sql before "CREATE PUBLICATION wishes FOR TABLE wish"
sql before "SELECT pg_create_physical_replication_slot('standby', true)" >/dev/null
sql before "SELECT pg_create_logical_replication_slot('fleet', 'pgoutput')" >/dev/null
sql reader "$wish"
sql reader "CREATE SUBSCRIPTION wishes CONNECTION 'host=$work/before user=postgres dbname=postgres' PUBLICATION wishes
  WITH (create_slot = false, slot_name = 'fleet', copy_data = false)"
sql before "INSERT INTO wish VALUES (1)"
arrived() { [ "$(sql reader "SELECT string_agg(id::text, ' ' ORDER BY id) FROM wish")" = "$1" ]; }
awaits "the first row" arrived 1
sql reader "ALTER SUBSCRIPTION wishes DISABLE"
PATH="$old:$plain" halt before

mkdir "$work/after"
"$new/initdb" -D "$work/after/data" -U postgres -A trust -E UTF8 --no-sync --no-data-checksums >/dev/null
settings after "fsync = off" "wal_level = logical"
upgrade() {
  expect 0 "$1" "$new/pg_upgrade" -b "$old" -B "$new" -d "$work/before/data" -D "$work/after/data" -U postgres -s "$work" "${@:2}"
}
upgrade "Clusters are compatible" --check
upgrade "Upgrade Complete"
serve after
same "the slots" 0 "$(sql after "SELECT count(*) FROM pg_replication_slots")"
sql after "INSERT INTO wish VALUES (2)"
sql reader "ALTER SUBSCRIPTION wishes CONNECTION 'host=$work/after user=postgres dbname=postgres'"
sql reader "ALTER SUBSCRIPTION wishes ENABLE"
awaits "the subscriber's complaint" grep -q 'replication slot "fleet" does not exist' "$work/reader/log"
sql after "SELECT pg_create_logical_replication_slot('fleet', 'pgoutput')" >/dev/null
sql after "INSERT INTO wish VALUES (3)"
awaits "the row after the slot" arrived "1 3"
