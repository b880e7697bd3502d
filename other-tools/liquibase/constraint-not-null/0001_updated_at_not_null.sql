--liquibase formatted sql

--changeset shop:updated-at-add-check
ALTER TABLE wishlist_items ADD CONSTRAINT updated_at_is_set CHECK (updated_at IS NOT NULL) NOT VALID;
--rollback ALTER TABLE wishlist_items DROP CONSTRAINT updated_at_is_set;

--changeset shop:updated-at-validate
ALTER TABLE wishlist_items VALIDATE CONSTRAINT updated_at_is_set;
--rollback empty

--changeset shop:updated-at-set-not-null
ALTER TABLE wishlist_items ALTER COLUMN updated_at SET NOT NULL;
ALTER TABLE wishlist_items DROP CONSTRAINT updated_at_is_set;
--rollback ALTER TABLE wishlist_items ALTER COLUMN updated_at DROP NOT NULL;
