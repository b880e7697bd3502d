#!/usr/bin/env bash
# pg_amcheck --all exits 0 when all databases but one were not looked at.
#
# Program   pg_amcheck 18.6
# Tried     the extension amcheck in one of three databases; pg_amcheck of another; pg_amcheck -a
# Seen      a warning for each database without the extension, and exit 0; asked about that database alone: exit 1
# Matters   after a restore, or after a change of collation or of a function in an index, "pg_amcheck -a" in a script is
#           green for databases nobody looked at. Read the warnings as failures, or name each database
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
sql prod "create extension amcheck"
sql prod "create database shop"
expect 1 "no relations to check" pg_amcheck -h "$work/prod" -d shop
expect 0 "skipping database \"shop\": amcheck is not installed" pg_amcheck -h "$work/prod" -a
