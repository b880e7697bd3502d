/*
title = "Published, with the whole row as its replica identity"
*/
-- [set up]
ALTER TABLE item REPLICA IDENTITY FULL;
RESET ROLE;
CREATE PUBLICATION zoo_publication FOR ALL TABLES;
SET ROLE zoo_owner;
