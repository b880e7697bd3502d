module.exports = {
  up: ({ sequelize }) => sequelize.query("COMMENT ON TABLE wishlist_items IS '2'"),
  async down() {},
};
