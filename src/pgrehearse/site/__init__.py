"""Site front end: the fence, the macros, the build, the live preview and the check of the built HTML.

Reads documents and the records of their runs; needs no database. Nothing else imports MkDocs.
"""
