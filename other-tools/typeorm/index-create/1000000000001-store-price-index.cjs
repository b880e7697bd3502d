module.exports = class StorePriceIndex1000000000001 {
  transaction = false;

  async up(runner) {
    // A concurrent build waits for old transactions; a timeout would leave it INVALID.
    await runner.query("SET lock_timeout = 0");
    await runner.query(
      "CREATE INDEX CONCURRENTLY wishlist_items_store_price_idx ON wishlist_items (store, price)"
    );
    await runner.query("RESET lock_timeout");
  }

  async down() {}
};
