#!/usr/bin/env bash
# From 19 on a login with an MD5 password, or with one that ends within a week, writes a warning to stderr of each client.
#
# Program   PostgreSQL 19rc1, its psql and pg_dump
# Tried     roles with a SCRAM password, an MD5 password, and one that is valid for two days; a query, and pg_dump of one table
# Seen      all succeed. stderr is empty for SCRAM; for the others it holds a WARNING of the server
# Matters   cron mails, and jobs that take any line on stderr for a failure, begin to fail after the upgrade.
#           md5_password_warnings = off and password_expiration_warning_threshold = 0 switch it off
NEEDS=postgresql-19
. "$(dirname "$0")/lib.sh"
new=$(dirname "$(command -v postgres)")
echo "with $(postgres --version)"
cluster prod "password_encryption = md5"
sql prod "create table orders (id int primary key)"
sql prod "create role md5 login password 'x'" 2>/dev/null
sql prod "set password_encryption = 'scram-sha-256'; create role scram login password 'x'"
sql prod "set password_encryption = 'scram-sha-256'; create role short login password 'x'"
sql prod "do \$\$ begin execute format('alter role short valid until %L', now() + interval '2 days'); end \$\$"
sql prod "grant select on orders to md5, scram, short"
printf 'local all postgres trust\nlocal all md5 md5\nlocal all all scram-sha-256\n' >prod/data/pg_hba.conf
sql prod "select pg_reload_conf()" >/dev/null
export PGPASSWORD=x
warned() {   # lines with WARNING that psql and pg_dump of $1 write, for each role
  local role
  for role in scram md5 short; do
    "$1/psql" -X -q -At -h "$work/prod" -U "$role" -c "select 1" >out 2>said
    "$1/pg_dump" -h "$work/prod" -U "$role" -t orders >out 2>>said
    echo "$role $(grep -c '^WARNING' said)"
  done | paste -sd ' '
}
same "warnings of 19's clients" "scram 0 md5 2 short 2" "$(warned "$new")"
sql prod "alter system set md5_password_warnings = off"
sql prod "alter system set password_expiration_warning_threshold = 0"
sql prod "select pg_reload_conf()" >/dev/null
same "switched off" "scram 0 md5 0 short 0" "$(warned "$new")"
