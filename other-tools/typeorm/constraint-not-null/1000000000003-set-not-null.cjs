module.exports = class SetNotNull1000000000003 {
  async up(runner) {
    await runner.query("ALTER TABLE wishlist_items ALTER COLUMN updated_at SET NOT NULL");
    await runner.query("ALTER TABLE wishlist_items DROP CONSTRAINT updated_at_is_set");
  }

  async down() {}
};
