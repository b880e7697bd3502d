export const up = (pgm) => {
  pgm.noTransaction();
  // A concurrent build waits for old transactions; a timeout would leave it INVALID.
  pgm.sql("SET lock_timeout = 0");
  pgm.createIndex("wishlist_items", ["store", "price"], {
    name: "wishlist_items_store_price_idx",
    concurrently: true,
  });
  pgm.sql("RESET lock_timeout");
};
export const down = false;
