module.exports = {
  up: ({ sequelize }) => sequelize.query("COMMENT ON TABLE wishlist_items IS '3'"),
  async down() {},
};
