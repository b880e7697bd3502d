--liquibase formatted sql

--changeset shop:comment-2
COMMENT ON TABLE wishlist_items IS '2';
