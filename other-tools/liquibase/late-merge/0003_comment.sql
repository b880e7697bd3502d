--liquibase formatted sql

--changeset shop:comment-3
COMMENT ON TABLE wishlist_items IS '3';
