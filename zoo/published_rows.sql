/*
title = "Published with a row filter on the column"
column = "qty"
*/
-- [set up]
ALTER TABLE item REPLICA IDENTITY FULL;
RESET ROLE;
CREATE PUBLICATION zoo_publication FOR TABLE item WHERE (qty > 0 AND place <> '' AND owner > 0);
SET ROLE zoo_owner;
