module.exports = {
  up: ({ sequelize }) =>
    sequelize.transaction(async (transaction) => {
      await sequelize.query("SET LOCAL lock_timeout = 0", { transaction });
      await sequelize.query("UPDATE wishlist_items SET title = title || '!'", { transaction });
    }),
  async down() {},
};
