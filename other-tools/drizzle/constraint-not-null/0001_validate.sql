-- It waits for other DDL and VACUUM, and nobody who reads or writes waits for it.
ALTER TABLE wishlist_items VALIDATE CONSTRAINT updated_at_is_set;
--> statement-breakpoint
COMMIT;
--> statement-breakpoint
BEGIN;
