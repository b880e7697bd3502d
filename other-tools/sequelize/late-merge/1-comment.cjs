module.exports = {
  up: ({ sequelize }) => sequelize.query("COMMENT ON TABLE wishlist_items IS '1'"),
  async down() {},
};
