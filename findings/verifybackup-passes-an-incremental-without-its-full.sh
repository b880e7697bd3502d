#!/usr/bin/env bash
# pg_verifybackup passes an incremental backup whose full is gone, and a combined backup made from a damaged full.
#
# Program   pg_verifybackup and pg_combinebackup 18.6
# Tried     full + incremental; the full removed; then a full with one changed byte combined with the incremental
# Seen      "backup successfully verified", exit 0, for the incremental alone. A file that the incremental changed in
#           another page is put together with the changed byte and gets a new checksum: the result verifies, exit 0.
#           (A file the incremental did not change keeps its old checksum; that damage is still found)
# Matters   a chain can be unrestorable, or restore a wrong value, while every check of its parts is green. Verify every
#           member before combining, and read the combined cluster back
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod "summarize_wal = on"
sql prod "create table wishlists (id int, owner text); insert into wishlists select n, 'owner-'||n from generate_series(1, 20000) n; checkpoint"
file=$(sql prod "select pg_relation_filepath('wishlists')")
pg_basebackup -h "$work/prod" -D "$work/full" -c fast
sql prod "update wishlists set owner = 'new' where id = 19999; checkpoint"
pg_basebackup -h "$work/prod" -D "$work/incremental" -c fast --incremental="$work/full/backup_manifest"
expect 0 "backup successfully verified" pg_verifybackup "$work/full"

mv "$work/full" "$work/kept"
expect 0 "backup successfully verified" pg_verifybackup "$work/incremental"
mv "$work/kept" "$work/full"

# One letter inside a value, in a page that the incremental does not carry, of a file that it does.
python3 - "$work/full/$file" <<'PY'
import pathlib, sys
path = pathlib.Path(sys.argv[1]); data = path.read_bytes()
at = data.index(b"owner-4321"); path.write_bytes(data[:at] + b"Owner-4321" + data[at + 10:])
PY
expect 1 "checksum mismatch for file" pg_verifybackup "$work/full"
expect 0 "" pg_combinebackup "$work/full" "$work/incremental" -o "$work/combined"
expect 0 "backup successfully verified" pg_verifybackup "$work/combined"
