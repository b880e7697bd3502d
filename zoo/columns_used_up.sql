/*
title = "The table has had 1,600 columns, and takes no other"
*/
-- [set up]
DO $$
BEGIN
  FOR number IN 1 .. 1591 LOOP
    EXECUTE format('ALTER TABLE item ADD COLUMN gone_%s integer', number);
    EXECUTE format('ALTER TABLE item DROP COLUMN gone_%s', number);
  END LOOP;
END $$;
