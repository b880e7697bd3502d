"""The sixth rehearsal: runbooks on tables that nobody made for them.

A *shape* is a table with something the example has not: a json column, row security, a name with a percent
sign. A *pair* is a runbook on a shape. It is either refused by Preflight, and nothing has changed, or it is
done: no request of the application failed, every value is right, a second run changes nothing, and Roll back
restores everything. Anything else is a fault.

shapes       the files of the folder ``zoo/``, read
fillings     which values a runbook's parameters have on a shape, and how to see that it was done
habitat      a shape as a database on a server: its roles, the copies, what it is like without a runbook
subscriber   a database that gets the rows by logical replication
application  the requests of an application, and what became of them
line         requests that wait for a step, and what they meet then
pairs        a runbook on a shape, and the outcome
outcome      what a pair gave
known        faults that are not mended yet
"""

from pgrehearse.measurement.zoo.outcome import PairOutcome
from pgrehearse.measurement.zoo.pairs import tried
from pgrehearse.measurement.zoo.shapes import Shape, shapes_of

__all__ = ["PairOutcome", "Shape", "shapes_of", "tried"]
