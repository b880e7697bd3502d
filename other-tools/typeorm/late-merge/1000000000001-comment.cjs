module.exports = class Comment1000000000001 {
  up = (runner) => runner.query("COMMENT ON TABLE wishlist_items IS '1'");

  async down() {}
};
