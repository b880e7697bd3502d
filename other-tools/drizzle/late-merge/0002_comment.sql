COMMENT ON TABLE wishlist_items IS '2';
