/*
title = "The owner has the tables, and neither their schema nor the database"
[settings]
*/
-- [set up]
RESET ROLE;
GRANT CREATE, USAGE ON SCHEMA public TO zoo_owner;

-- [copy]
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO CURRENT_USER', current_database());
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO zoo_owner', current_database());
    REVOKE CREATE ON SCHEMA public FROM zoo_owner;
END $$;
