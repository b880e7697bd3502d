module.exports = {
  // A concurrent build waits for old transactions; a timeout would leave it INVALID.
  // A pool of connections: SET goes with the statement it is for.
  async up({ sequelize }) {
    const client = await sequelize.connectionManager.getConnection({ type: "WRITE" });
    try {
      await client.query("SET lock_timeout = 0");
      await client.query(
        "CREATE INDEX CONCURRENTLY wishlist_items_store_price_idx ON wishlist_items (store, price)"
      );
      await client.query("RESET lock_timeout");
    } finally {
      sequelize.connectionManager.releaseConnection(client);
    }
  },
  async down() {},
};
