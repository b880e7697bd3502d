ALTER TYPE store ADD VALUE IF NOT EXISTS 'kickstarter';
--> statement-breakpoint
-- Drizzle makes one transaction of all pending files, and a new value can be used after its own.
COMMIT;
--> statement-breakpoint
BEGIN;
