#!/usr/bin/env bash
# A published sequence whose definition differs on the subscriber is not copied; every command says it went well.
#
# Program   PostgreSQL 19rc1
# Tried     two sequences published, one with another INCREMENT on the subscriber; CREATE SUBSCRIPTION, then
#           ALTER SUBSCRIPTION ... REFRESH SEQUENCES
# Seen      both commands succeed; the log has the reason, pg_subscription_rel keeps it in a state other than "r"
# Matters   the switch-over goes on with a sequence at its first value. Ask pg_subscription_rel before it
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
echo "with $(postgres --version)"
cluster old "wal_level = logical"
cluster new
sql old "create sequence same; create sequence other increment by 1; select nextval('same'), nextval('other') from generate_series(1, 50)" >/dev/null
sql new "create sequence same; create sequence other increment by 2"
sql old "create publication numbers for all sequences"
expect 0 "" sql new "create subscription s connection 'host=$work/old dbname=postgres user=postgres' publication numbers"
awaits "the sequence that is the same" sh -c "psql -X -At -h '$work/new' -c 'select last_value from same' | grep -qx 50"
awaits "the log" grep -q "other" "$work/new/log"
expect 0 "^$" sql new "alter subscription s refresh sequences"
state="select c.relname || ' ' || (r.srsubstate = 'r') from pg_subscription_rel r join pg_class c on c.oid = r.srrelid order by 1"
awaits "the one that is the same again" sh -c "psql -X -At -h '$work/new' -c \"$state\" | grep -qx 'same true'"
same "copied" "other false
same true" "$(sql new "$state")"
same "the one that differs" "1" "$(sql new "select last_value from other")"
