module.exports = {
  up: ({ sequelize }) =>
    sequelize.query(
      "ALTER TABLE wishlist_items ADD CONSTRAINT updated_at_is_set CHECK (updated_at IS NOT NULL) NOT VALID"
    ),
  async down() {},
};
