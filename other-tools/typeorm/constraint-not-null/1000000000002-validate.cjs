module.exports = class Validate1000000000002 {
  up = (runner) =>
    runner.query("ALTER TABLE wishlist_items VALIDATE CONSTRAINT updated_at_is_set");

  async down() {}
};
