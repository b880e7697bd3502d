/*
title = "Published with a list of columns"
*/
-- [set up]
RESET ROLE;
CREATE PUBLICATION zoo_publication FOR TABLE item (id, code, qty, state, place, name);
SET ROLE zoo_owner;
