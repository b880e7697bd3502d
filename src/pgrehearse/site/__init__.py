"""Site front end. Reads documents and the records of their runs; needs no database.

macros    what a page may call; fences: how a block is rendered. MkDocs is told these two names
content   which documents a site has, and a runbook as part of a page
parts     pieces of HTML from records and evidence
built     the build, and the check of what it made

Nothing else imports MkDocs.
"""
