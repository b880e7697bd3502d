/*
title = "A loader writes with session_replication_role = replica, so that no ordinary trigger fires"
*/
-- [set up]
SELECT 1;
-- [copy]
DO $$
BEGIN
  EXECUTE format('ALTER ROLE zoo_application IN DATABASE %I SET session_replication_role = replica', current_database());
END $$;
-- [traffic]
SELECT current_setting('session_replication_role') = 'replica';
