#!/usr/bin/env bash
# pg_upgrade to 18 drops an INVALID index without a word, and leaves extended statistics empty.
#
# Program   pg_upgrade 18.6, from PostgreSQL 15 (OLD_BINDIR, or /usr/lib/postgresql/15/bin)
# Tried     a unique concurrent build that failed, CREATE STATISTICS; initdb of 18; --check; the upgrade; then the
#           command that pg_upgrade prints, and the one with --missing-stats-only
# Seen      --check refuses 18's initdb (checksums are on in 18, off in 15); with --no-data-checksums it says "Clusters are
#           compatible"; the INVALID index is gone; columns have statistics, the extended ones have none until
#           vacuumdb --analyze-only --missing-stats-only
# Matters   the next step of the migration that was cut short finds no index (42704), and plans that rest on extended
#           statistics are others
. "$(dirname "$0")/lib.sh"
old=${OLD_BINDIR:-/usr/lib/postgresql/15/bin}
[ -x "$old/pg_controldata" ] || { echo "this one needs PostgreSQL 15 with pg_controldata; next: OLD_BINDIR=its bin" >&2; exit 69; }
postgresql
new=$(dirname "$(command -v postgres)")
plain=$PATH

PATH="$old:$plain" cluster before
sql before "CREATE TABLE wish (id int PRIMARY KEY, store text, city text);
  INSERT INTO wish SELECT n, 's' || n % 10, 'c' || n % 10 FROM generate_series(1, 5000) AS n;
  CREATE STATISTICS wish_places ON store, city FROM wish"
expect 1 "could not create unique index" psql -XqAt -h "$work/before" -U postgres postgres \
  -c "CREATE UNIQUE INDEX CONCURRENTLY wish_store ON wish (store)"
sql before "ANALYZE"
PATH="$old:$plain" halt before

upgrade() {
  expect "$1" "$2" "$new/pg_upgrade" -b "$old" -B "$new" -d "$work/before/data" -D "$work/after/data" -U postgres -s "$work" "${@:3}"
}
empty() {
  rm -rf "$work/after"; mkdir "$work/after"
  "$new/initdb" -D "$work/after/data" -U postgres -A trust -E UTF8 --locale=C --no-sync "$@" >/dev/null
}
empty
upgrade 1 "old cluster does not use data checksums but the new one does" --check
empty --no-data-checksums
upgrade 0 "Clusters are compatible" --check
upgrade 0 "Upgrade Complete"
serve after
same "the INVALID index" "" "$(sql after "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")"
same "the columns with statistics" 3 "$(sql after "SELECT count(*) FROM pg_stats WHERE tablename = 'wish'")"
extended="SELECT count(*) FROM pg_stats_ext WHERE dependencies IS NOT NULL"
same "extended statistics" 0 "$(sql after "$extended")"
"$new/vacuumdb" -q -h "$work/after" -U postgres --all --analyze-only --missing-stats-only
same "extended statistics now" 1 "$(sql after "$extended")"
