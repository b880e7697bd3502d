#!/usr/bin/env bash
# Drizzle leaves out a migration that is older than the last one applied, for ever, and says that all were applied.
#
# Program   drizzle-kit 0.31.11 with drizzle-orm 0.45.4 and pg 8.16.3, PostgreSQL 18.6
# Tried     the migrations of 1 and 3 January are applied. Then a branch is merged that brings the one of 2 January
# Seen      "migrations applied successfully!", exit status 0; its table is not there, nor after another run. Drizzle
#           compares the moment of each file with that of the newest one applied, not which are
# Matters   two branches that are merged out of order: production lacks a table, the pipeline is green, and no later
#           run brings it. Make the file anew before the merge, so that it is the newest
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
npm install --silent --no-audit --no-fund drizzle-kit@0.31.11 drizzle-orm@0.45.4 pg@8.16.3 >/dev/null

cat >drizzle.config.mjs <<'JS'
export default {
  dialect: "postgresql",
  out: "./drizzle",
  dbCredentials: { host: process.env.PGHOST, user: process.env.PGUSER, database: process.env.PGDATABASE, ssl: false },
};
JS
mkdir -p drizzle/meta

# journal DAY...: the migrations that the working copy has, each with the moment at which it was generated
journal() {
  local day index=0 entries=
  for day in "$@"; do
    echo "CREATE TABLE of_day_$day (n int);" >"drizzle/000${index}_day_$day.sql"
    entries+="${entries:+,}{\"idx\":$index,\"version\":\"7\",\"when\":17672256000$day,\"tag\":\"000${index}_day_$day\",\"breakpoints\":true}"
    index=$((index + 1))
  done
  echo "{\"version\":\"7\",\"dialect\":\"postgresql\",\"entries\":[$entries]}" >drizzle/meta/_journal.json
}
tables() { sql prod "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname LIKE 'of_day%'"; }
migrate() { PGHOST=$work/prod node_modules/.bin/drizzle-kit migrate --config drizzle.config.mjs; }

journal 01 03
expect 0 "migrations applied successfully" migrate
rm drizzle/*.sql
journal 01 02 03
expect 0 "migrations applied successfully" migrate
same "after the merge" "of_day_01 of_day_03" "$(tables)"
expect 0 "migrations applied successfully" migrate
same "after another run" "of_day_01 of_day_03" "$(tables)"

# The control: a newer one is applied.
rm drizzle/*.sql
journal 01 02 03 04
expect 0 "migrations applied successfully" migrate
same "a newer one" "of_day_01 of_day_03 of_day_04" "$(tables)"
