"""Where every environment stands, for a browser: one file, or served. Nothing here changes anything.

page       one file with all of it, which asks for nothing
views      what the pages show, prepared from snapshots
drawing    charts and the map of a fleet, as shapes
templates  how it looks
assets     the style sheet; it is put into the one file, and asked for by the served pages
"""
