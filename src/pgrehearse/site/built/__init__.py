"""The built site.

build        made with MkDocs; failures: what stops it, as our errors
pages        one built page, read; block_text: the text of a block as a page has it
accounting   the check that every block ran, every runbook is shown, every link leads somewhere
serve        the authors' loop: a saved document is executed, and its page reloads
"""
