SET LOCAL lock_timeout = 0;
--> statement-breakpoint
UPDATE wishlist_items SET title = title || '!';
