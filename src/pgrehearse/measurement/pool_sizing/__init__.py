"""How many connections a pool should have: throughput and latency of a bounded load, by their number.

mix      what the load sends: pgbench scripts of the reader, or tables and transactions of our own
pgbench  pgbench with one number of connections after the other
knee     the least number that gives nearly the best throughput; the formula everybody copies
drawing  both curves as an SVG
"""
