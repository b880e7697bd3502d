#!/usr/bin/env bash
# pg_dump started while REPACK (CONCURRENTLY) waits for its swap writes the table without a row, and ends with status 0.
#
# Program   pg_dump and PostgreSQL 19rc1
# Tried     a reader that holds the table, so that the swap waits; pg_dump; then the reader ends. The same beside REPACK
# Seen      pg_dump took its snapshot, queued behind the swap, and reads the new file with the old snapshot: no row, no
#           word, status 0. Beside REPACK, which keeps what older snapshots see, all rows are there
# Matters   the night's backup lacks the table, and only a restore that counts rows would show it. Stop scheduled dumps
#           until the copy is done
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
echo "with $(pg_dump --version)"
cluster prod
sql prod "create table orders (id int primary key); insert into orders select generate_series(1, 10)"
blocked() {
  awaits "$1 to wait" sh -c "psql -X -At -h '$work/prod' -c \"select cardinality(pg_blocking_pids(pid)) from pg_stat_activity where $2\" | grep -q '^1'"
}
beside() {   # the rows of orders that pg_dump writes, when it begins while this command waits for a reader
  mkfifo "hold-$2"
  psql -X -q -h "$work/prod" <"hold-$2" >/dev/null &
  exec 9>"hold-$2"
  echo "begin; select count(*) from orders;" >&9
  awaits "the reader" sh -c "psql -X -At -h '$work/prod' -c \"select 1 from pg_stat_activity where state = 'idle in transaction'\" | grep -q 1"
  psql -X -q -h "$work/prod" -c "$1" 9>&- &
  blocked "$1" "query = '$1'"
  pg_dump -h "$work/prod" --data-only --table=orders >"dump-$2" 9>&- &
  local dump=$!
  blocked "pg_dump" "application_name = 'pg_dump'"
  exec 9>&-
  wait "$dump" || { echo "pg_dump ended with another status"; return 1; }
  wait
  grep -c '^[0-9]' "dump-$2" || true
}
same "rows in a dump beside REPACK" "10" "$(beside "repack orders" plain)"
same "rows in a dump beside REPACK (CONCURRENTLY)" "0" "$(beside "repack (concurrently) orders" concurrent)"
same "rows in the table" "10" "$(sql prod "select count(*) from orders")"
