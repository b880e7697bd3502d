module.exports = class Comment1000000000002 {
  up = (runner) => runner.query("COMMENT ON TABLE wishlist_items IS '2'");

  async down() {}
};
