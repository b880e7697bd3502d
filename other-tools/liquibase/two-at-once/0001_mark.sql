--liquibase formatted sql

--changeset shop:mark
SET LOCAL lock_timeout = 0;
UPDATE wishlist_items SET title = title || '!';
