"""The statements that make one definition of another.

repair_steps  what would have to be done, difference by difference; nothing is tried here
undoing   the statement that takes one back
changing  from one form of a thing to another
columns   the same for columns, identities and the heads of tables
types     the same for enums, composite types and domains
outlines  statements without what stands in quotes and parentheses
"""

from pgrehearse.schema.repair.repair_steps import RepairStep, steps

__all__ = ["RepairStep", "steps"]
