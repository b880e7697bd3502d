"""What the bookkeeping asks about a statement: whether a transaction may stand around it, and which frame."""

from __future__ import annotations

from pgrehearse.execution.escort import Frame
from pgrehearse.execution.session_only import changes_nothing
from pgrehearse.text.split import SplitError
from pgrehearse.text.statement import Kind, classify

__all__ = ["commits", "ends_with_session", "kind_of", "leaves_session", "made_again", "wants_a_block"]

#: First words of what defines, and carries nothing out.
_QUIET = ("alter", "comment", "drop", "grant", "revoke", "security")


def kind_of(sql: str) -> Kind:
    """The kind of a statement; one without words where its quotes do not close."""
    try:
        return classify(sql)
    except SplitError:  # generated, with a quote that nothing closes: PostgreSQL refuses it
        return Kind(())


def ends_with_session(kind: Kind) -> bool:
    """Whether what it does ends with the session: settings, temporary objects, what is done to those."""
    return kind.of_the_session or kind.of_temporary


def leaves_session(kind: Kind) -> bool:
    """Whether it calls nothing that could change the session.

    An index and a CHECK may go by a function; one that changes the session is seen when the step is done.
    """
    index = kind.begins("create", "index") or kind.begins("create", "unique", "index")
    quiet = kind.verb in _QUIET or index
    return quiet and not ends_with_session(kind)


def made_again(kind: Kind) -> Frame:
    """The frame of what is done and is sent once more for the session: nothing else may be done twice."""
    check = changes_nothing(kind)
    if kind.alone or not check:
        return Frame()
    return Frame(("BEGIN",), (f"{check};\nCOMMIT",), ("ROLLBACK",))


def wants_a_block(kind: Kind) -> bool:
    """Whether it is about the transaction: in one of ours it would mean something else."""
    local = bool(kind.settings) and all(one.local for one in kind.settings)
    return kind.control is not None or local or kind.verb == "lock" or kind.begins("declare")


def commits(kind: Kind, sql: str) -> bool:
    """Whether it says that it commits inside: it would do its first batch twice."""
    words = ("commit", "rollback", "call")
    return kind.verb == "do" and any(word in sql.lower() for word in words)
