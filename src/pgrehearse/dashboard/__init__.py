"""Where every environment stands, for a browser: one file, or served. Nothing here changes anything.

page       one file with all of it, which asks for nothing
serving    the served pages: bound to an address, begun and ended; begin here
app        the routes, and what each shows
guard      who may ask: host, origin, token; and what a browser may do with an answer
latest     the last look, made again and again
metrics    the same for Prometheus
views      what the pages show, prepared from snapshots
drawing    charts and the map of a fleet, as shapes
templates  how it looks
assets     style sheet and script; the one file holds the first and does without the second
"""
