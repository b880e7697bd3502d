--liquibase formatted sql

--changeset shop:add-kickstarter
ALTER TYPE store ADD VALUE IF NOT EXISTS 'kickstarter';
--rollback empty

--changeset shop:use-kickstarter
UPDATE wishlist_items SET store = 'kickstarter' WHERE url LIKE 'https://www.kickstarter.com/%';
--rollback empty
