#!/usr/bin/env bash
# REPACK (CONCURRENTLY) waits for writers of other databases, and no lock that the command asked for shows it.
#
# Program   PostgreSQL 19rc1
# Tried     a transaction that wrote a row in database b; REPACK (CONCURRENTLY) in database a, with lock_timeout
# Seen      pg_blocking_pids names that transaction; the command itself waits for IPC, and its worker for the lock
# Matters   a forgotten transaction anywhere in the cluster holds it up. Queries that join pg_locks by the pid of the
#           command show no wait; ask pg_blocking_pids
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
echo "with $(postgres --version)"
cluster prod
sql prod "create database a"
sql prod "create database b"
PGDATABASE=a sql prod "create table orders (id int primary key)"
PGDATABASE=b sql prod "create table other (id int)"
mkfifo hold
psql -X -q -h "$work/prod" -d b <hold >/dev/null &
exec 9>hold
echo "begin; insert into other values (1);" >&9
awaits "the writer" sh -c "psql -X -At -h '$work/prod' -c \"select 1 from pg_stat_activity where datname = 'b' and state = 'idle in transaction'\" | grep -q 1"
blocked="select coalesce(wait_event, 'none') || ', blocked by ' || cardinality(pg_blocking_pids(pid)) from pg_stat_activity where query like 'repack%'"
PGOPTIONS="-c lock_timeout=60s" PGDATABASE=a sql prod "repack (concurrently) orders" >repack.out 2>&1 &
awaits "the command" sh -c "psql -X -At -h '$work/prod' -c \"select 1 from pg_stat_activity where wait_event = 'RepackWorkerExport'\" | grep -q 1"
awaits "its blocker" sh -c "psql -X -At -h '$work/prod' -c \"$blocked\" | grep -q 'by 1'"
same "the command" "RepackWorkerExport, blocked by 1" "$(sql prod "$blocked" | tail -n 1)"
waiting="select a.backend_type || ', ' || (a.leader_pid is not null) from pg_locks l join pg_stat_activity a using (pid) where not l.granted"
same "who waits for a lock" "REPACK decoding worker, true" "$(sql prod "$waiting")"
exec 9>&-
wait
