"""One statement on one server, measured.

facts             what is measured
measure           how: chooses between the two ways
transactional     inside its own transaction, which is rolled back
nontransactional  from what it waits for, on clones
client            connections that watch a statement, and the clones they run on
measured_session  one whose statements are measured one after another, where they stand
observing         what a session said and locked
probing           what other sessions can do meanwhile
relations         what the database holds before
wal               locks from the WAL
"""
