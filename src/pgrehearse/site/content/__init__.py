"""Documents of a site as Markdown.

documents    which there are, and where each is shown
published    what the records say of the cells of one, and the counts of all
embed        a runbook as part of a page; links: its links, for where the page lies
headings     their text without marks, and their anchors
navigation   patterns in the navigation of mkdocs.yml
pointers     addresses of pages that a runbook's page points to
"""
