SET LOCAL lock_timeout = '2s';
--> statement-breakpoint
ALTER TABLE wishlist_items ALTER COLUMN updated_at SET NOT NULL;
--> statement-breakpoint
ALTER TABLE wishlist_items DROP CONSTRAINT updated_at_is_set;
