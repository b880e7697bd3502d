/*
title = "The type and the referenced table belong to somebody else"
*/
-- [set up]
RESET ROLE;
ALTER TABLE person OWNER TO postgres;
ALTER TYPE item_state OWNER TO postgres;
GRANT REFERENCES, SELECT ON person TO zoo_owner;
SET ROLE zoo_owner;
