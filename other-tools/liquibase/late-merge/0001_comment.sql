--liquibase formatted sql

--changeset shop:comment-1
COMMENT ON TABLE wishlist_items IS '1';
