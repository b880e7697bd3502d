module.exports = class Comment1000000000003 {
  up = (runner) => runner.query("COMMENT ON TABLE wishlist_items IS '3'");

  async down() {}
};
