"""Where every environment stands: one typed snapshot of each database, and never green when nobody knows.

fact        what a fact is: known, with when and how long, or unknown, with why and when it was last seen
fact_table  which facts there are, what each says, and of which databases
look        what a fact is read with
server      version, role in replication, mark; what this role may not see
migrations  applied, pending, wrong; the last ones and what they cost
activity    a change under way, who waits for whom, and what would hold a change up
leftovers   what interrupted changes and runbooks left
promotions  what is open, and whom it waits for
drift       the last comparison with the migrations, kept, and the statements that would put it right
backup      whether a backup was proven to be restorable
snapshot    all facts of one database
places      the databases of the environments file
everywhere  all databases at once, each with its own deadline
survey      one look at all that a project has; begin here
memory      when each fact was last seen, kept between two looks
as_json     the snapshot for programs, and the schema of that
"""
