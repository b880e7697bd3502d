/*
title = "A trigger lets no update through that changes nothing"
*/
-- [set up]
CREATE TRIGGER a_suppress BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
