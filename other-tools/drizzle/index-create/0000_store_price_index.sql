-- Drizzle has no way out of its transaction: this ends it, and begins the one that Drizzle will commit.
COMMIT;
--> statement-breakpoint
-- A concurrent build waits for old transactions; a timeout would leave it INVALID.
SET lock_timeout = 0;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY wishlist_items_store_price_idx ON wishlist_items (store, price);
--> statement-breakpoint
RESET lock_timeout;
--> statement-breakpoint
BEGIN;
