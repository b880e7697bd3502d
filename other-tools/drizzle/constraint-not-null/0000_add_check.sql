SET LOCAL lock_timeout = '2s';
--> statement-breakpoint
ALTER TABLE wishlist_items ADD CONSTRAINT updated_at_is_set CHECK (updated_at IS NOT NULL) NOT VALID;
--> statement-breakpoint
-- Drizzle makes one transaction of all pending files. The lock of this one must not last through the next.
COMMIT;
--> statement-breakpoint
BEGIN;
