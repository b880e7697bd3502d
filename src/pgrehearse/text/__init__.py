"""Text layer: knows files, not databases.

document, front_matter, options, claims, fenced_blocks, fence_form, recordings, snippets   Markdown
uncompared, taken_for   what looks like a cell or its output; what a reader takes a block for
foreign            Markdown that nobody wrote for this program; foreign_files: what it brings in
looking            Preflight and Verify only look
lint, flaws        what of a document would not mean the same everywhere
plain_yaml         front matter that is small, flat and says everything once
project, lookup    where a project's files are, and what a person types for them; handbook: the package's own
written_names      what a value says that is a name; keywords: which need quotes; standing: how cells read it
psql_script        a runbook as a script for psql; psql_names: names in it; answers: what a check's row says
variables          values put into SQL
split              SQL, split where psql splits it, and tokens; semicolons, fast_scan, pieces: where one ends
reader             a statement read word by word
statement          what a statement is; settings, rows, concurrent: what it sets, changes, does step by step;
                   temporary: what of it ends with the session; bodies: what functions hold
passwords, secret_values, secret_forms, connection_secrets   what is secret by its place, form or name;
                   executed: what EXECUTE gives to a secret place; secret_hints: who is asked
characters         what must not be shown as it stands
migration_grammar  the text of a migration; migration_files: those of a folder, as a runner sends them
layouts            folders of another tool's migrations; foreign_folder: what of them is none;
                   foreign_marks, foreign_settings: the up part of a file, and what its tool keeps beside it
"""
