#!/usr/bin/env bash
# The same max_locks_per_transaction holds fewer locks in 19 than in 18.
#
# Program   PostgreSQL 18.6 and 19rc1
# Tried     max_locks_per_transaction = 64 on both; advisory locks in one transaction until "out of shared memory"
# Seen      18 takes over 12,000, 19 fewer than 10,000 (its default is 128 now)
# Matters   a configuration that is carried over by pg_upgrade loses two fifths: a migration over many partitions that
#           fitted fails after it with 53200. Double the value, or remove the line
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
new=$(dirname "$(command -v postgres)")
taken() {
  cluster "$1" "max_locks_per_transaction = 64" >/dev/null
  sql "$1" "do \$\$ declare n int := 0; begin loop perform pg_advisory_xact_lock(n); n := n + 1; end loop;
            exception when out_of_memory then raise notice 'locks: %', n; end \$\$" 2>&1 | sed -n 's/.*locks: //p'
}
echo "with $(postgres --version)"
nineteen=$(taken new)
halt new
postgresql
eighteen=$(taken old)
echo "18: $eighteen, 19: $nineteen"
same "18 takes over 12000" yes "$([ "$eighteen" -gt 12000 ] && echo yes || echo no)"
same "19 takes under 10000" yes "$([ "$nineteen" -lt 10000 ] && echo yes || echo no)"
