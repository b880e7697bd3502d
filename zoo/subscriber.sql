/*
title = "Published, and another database gets the rows"
subscriber = true
*/
-- [set up]
RESET ROLE;
CREATE PUBLICATION zoo_publication FOR TABLE item, person;
SET ROLE zoo_owner;
