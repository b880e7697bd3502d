"""What a reader takes a block for, whatever it is called: SQL, Python, or neither.

A block named ``plsql``, or one without a name that begins with ``SELECT``, is SQL to a reader, and nothing
runs it. The names are those of highlighters; a text is looked at for its first words and for prompts.
"""

from __future__ import annotations

import re

__all__ = ["looks_printed", "taken_for"]

_SQL = re.compile(
    r".*sql.*|postgres.*|pg|pgcon.*|plpg.*|ddl|dml|rql|redshift|greenplum|cockroach.*|timescale.*|snowflake"
)
_PYTHON = re.compile(r"i?py|py.*|[ic]?python.*|numpy|bazel|starlark|sage|jupyter.*|ipynb")
#: Languages and formats of their own; what begins like SQL or Python in them is not that.
_OTHER = re.compile(
    r"ya?ml|toml|json.*|ini|cfg|conf|properties|xml|x?html|s?css|diff|patch|docker.*|make.*|nginx|hcl|terraform"
    r"|javascript|jsx?|typescript|tsx?|java|kotlin|scala|go|golang|rust|c|h|cpp|c\+\+|csharp|cs|ruby|rb|php|perl"
    r"|swift|elixir|erlang|haskell|lua|r|groovy|clojure|dart|mermaid|md|markdown|jinja.*|django|bash|sh|zsh|fish"
    r"|powershell|bat|graphql|proto.*|math|latex|http|vim|awk|sed|dot|graphviz|svg|regex|ebnf|bnf"
)
_VERBS = (
    "abort|alter|analyze|begin|call|checkpoint|close|cluster|comment on|commit|copy|create|deallocate|declare"
    "|delete from|discard|drop|end|execute|explain|fetch|grant|import foreign|insert into|listen|load|lock"
    "|merge into|move|notify|prepare|reassign|refresh|reindex|release|reset|revoke|rollback|savepoint"
    "|security label|select|set|show|start transaction|table|truncate|unlisten|update|vacuum|values|with"
)
#: Sentences begin with a capital, statements with capitals or none, and they end with a semicolon. Without
#: one, names or parentheses in the first line tell them from command tags, which are capitals and numbers.
_STATEMENT = re.compile(
    r"(?:\s|--[^\n]*|/\*(?:(?!\*/).)*\*/|\()*+"
    + f"(?:(?:{_VERBS}|{_VERBS.upper()})\\b|(?:do|DO)\\s+[$'])".replace(" ", r"\s+")
    + r"(?:.*?;[ \t]*$|(?<=[A-Z])[ \t][^\n]*[a-z(*])",
    re.S | re.M,
)
_PSQL = re.compile(r"^[\w.@:/~-]*=[*!?]?[#>] (?:\\\S|[A-Za-z]{2})", re.M)
_SCRIPT = re.compile(
    r"(?:\s|#[^\n]*\n)*+"
    r"(?:import \w+|from [\w.]+ import |(?:async )?def \w+\(|class \w+.*:$|with \w.*:$|print\()",
    re.M,
)
_PYTHON_PROMPT = re.compile(r"^(?:>>>|In \[\d*\]:) ?\S", re.M)
#: Characters that tell what a text is.
_LOOK = 5_000


def looks_printed(language: str) -> bool:
    """Whether a reader takes a block below a cell for what it printed: all that is no language we know.

    A block without a name is such a one, and so is ``console``, ``ascii`` or ``csv``.
    """
    name = language.lower()
    return not any(known.fullmatch(name) for known in (_SQL, _PYTHON, _OTHER))


def taken_for(language: str, text: str) -> str:
    """``sql`` or ``python`` for a block that a reader takes for one, by its name or its text; else empty."""
    name = language.lower()
    if _SQL.fullmatch(name):
        return "sql"
    if _PYTHON.fullmatch(name):
        return "python"
    if _OTHER.fullmatch(name):
        return ""
    start = text[:_LOOK]
    if _STATEMENT.match(start) or _PSQL.search(start):
        return "sql"
    return "python" if _SCRIPT.match(start) or _PYTHON_PROMPT.search(start) else ""
