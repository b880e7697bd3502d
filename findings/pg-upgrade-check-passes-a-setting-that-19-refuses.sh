#!/usr/bin/env bash
# pg_upgrade --check passes a role setting that the new major refuses; the upgrade fails and uses the cluster up.
#
# Program   pg_upgrade 19rc1, from PostgreSQL 18.6
# Tried     ALTER ROLE app SET standard_conforming_strings = off in 18; --check; the upgrade; --check again
# Seen      "Clusters are compatible"; the upgrade fails while restoring global objects; then --check wants a new cluster
# Matters   the window is lost after the old server was stopped. Restore pg_dumpall --globals-only into an empty cluster
#           of the new major days before
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
new=$(dirname "$(command -v postgres)")
postgresql
old=$(dirname "$(command -v postgres)")
cluster before
sql before "create role app; alter role app set standard_conforming_strings = off"
halt before
mkdir after
"$new/initdb" -D "$work/after/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null
expect 0 "Clusters are compatible" "$new/pg_upgrade" -b "$old" -B "$new" -d "$work/before/data" -D "$work/after/data" \
  -U postgres -s "$work" --check
expect 1 "Restoring global objects" "$new/pg_upgrade" -b "$old" -B "$new" -d "$work/before/data" -D "$work/after/data" \
  -U postgres -s "$work"
expect 1 "Only the install user can be defined" "$new/pg_upgrade" -b "$old" -B "$new" -d "$work/before/data" -D "$work/after/data" \
  -U postgres -s "$work" --check
