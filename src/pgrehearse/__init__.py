"""pgrehearse: PostgreSQL schema-change runbooks that are executed before anybody needs them.

The folders are the architecture; ``docs/contributing/architecture.md`` says which part knows what. The names
below are the ones other programs may rely on.
"""

from pgrehearse.errors import DocumentError, ExpectationError, PgRehearseError, SetupError

__all__ = ["DocumentError", "ExpectationError", "PgRehearseError", "SetupError"]
