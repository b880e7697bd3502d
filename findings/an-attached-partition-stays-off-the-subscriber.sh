#!/usr/bin/env bash
# A partition that is attached with its rows never reaches a subscriber of the root, and nothing says so.
#
# Program   PostgreSQL 18.6
# Tried     a publication with publish_via_partition_root, its subscriber in sync. Then a filled table is attached as
#           a partition; then the subscription is refreshed
# Seen      the old rows of that table are not on the subscriber, after the refresh neither, and no log names the table;
#           the subscription says r, ready. A row that is added later arrives
# Matters   "build it aside, then attach it" is the advice for a load without long locks. A report on the subscriber
#           lacks those rows for ever. Copy them there before the attach, or attach the partition empty and fill it then
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod "wal_level = logical" "max_wal_senders = 4"
cluster report
table="CREATE TABLE sale (day date, amount int, PRIMARY KEY (day, amount)) PARTITION BY RANGE (day);
CREATE TABLE sale_1 PARTITION OF sale FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');"
sql prod "$table"
sql report "$table CREATE TABLE sale_2 PARTITION OF sale FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');"
sql prod "INSERT INTO sale VALUES ('2026-01-05', 1)"
sql prod "CREATE PUBLICATION p FOR TABLE sale WITH (publish_via_partition_root = true)"
sql report "CREATE SUBSCRIPTION s CONNECTION 'host=$work/prod user=postgres dbname=postgres' PUBLICATION p"
has() { [ "$(sql report 'SELECT string_agg(amount::text, chr(32) ORDER BY amount) FROM sale')" = "$1" ]; }
awaits "the first copy" has 1

sql prod "CREATE TABLE sale_2 (LIKE sale INCLUDING ALL); INSERT INTO sale_2 VALUES ('2026-02-05', 2), ('2026-02-06', 3)"
sql prod "ALTER TABLE sale ATTACH PARTITION sale_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')"
sql prod "INSERT INTO sale VALUES ('2026-02-07', 4)"
awaits "the row that came after the attach" has "1 4"
sql report "ALTER SUBSCRIPTION s REFRESH PUBLICATION"
sql prod "INSERT INTO sale VALUES ('2026-02-08', 5)"
awaits "the row that came after the refresh" has "1 4 5"
ready="SELECT string_agg(srsubstate::text, ' ') FROM pg_subscription_rel"
same "the publisher has" "1 2 3 4 5" "$(sql prod "SELECT string_agg(amount::text, ' ' ORDER BY amount) FROM sale")"
same "the subscriber has" "1 4 5" "$(sql report "SELECT string_agg(amount::text, ' ' ORDER BY amount) FROM sale")"
same "the subscription says" r "$(sql report "$ready")"
# The control: of a partition that is there before its rows, all of them arrive.
sql report "CREATE TABLE sale_3 PARTITION OF sale FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')"
sql prod "CREATE TABLE sale_3 PARTITION OF sale FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')"
sql prod "INSERT INTO sale VALUES ('2026-03-05', 6)"
awaits "rows of a partition that was attached empty" has "1 4 5 6"
same "lines about it, warnings and errors in both logs" 0 "$(cat prod/log report/log | grep -c -E 'sale_2|WARNING|ERROR' || true)"
sql report "DROP SUBSCRIPTION s"
