"""Site front end. Reads documents and the records of their runs; needs no database.

macros      what a page may call; fences: how a block is rendered. mkdocs.yml names these two
content     Markdown: which documents a site has, what the records say of them, a runbook as part of a page
parts       what a piece of a page shows, prepared from records and evidence
templates   how it looks; markup renders them and is where everything is escaped
assets      the style sheet and the scripts of these pieces
built       the build, and the check of what it made

Nothing else imports MkDocs or Jinja.
"""
