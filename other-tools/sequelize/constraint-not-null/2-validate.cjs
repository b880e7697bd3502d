module.exports = {
  up: ({ sequelize }) =>
    sequelize.query("ALTER TABLE wishlist_items VALIDATE CONSTRAINT updated_at_is_set"),
  async down() {},
};
