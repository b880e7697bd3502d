module.exports = class AddCheck1000000000001 {
  up = (runner) =>
    runner.query(
      "ALTER TABLE wishlist_items ADD CONSTRAINT updated_at_is_set CHECK (updated_at IS NOT NULL) NOT VALID"
    );

  async down() {}
};
