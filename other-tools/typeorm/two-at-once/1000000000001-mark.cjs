module.exports = class Mark1000000000001 {
  async up(runner) {
    await runner.query("SET LOCAL lock_timeout = 0");
    await runner.query("UPDATE wishlist_items SET title = title || '!'");
  }

  async down() {}
};
