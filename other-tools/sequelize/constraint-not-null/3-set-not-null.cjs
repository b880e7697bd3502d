module.exports = {
  // Sequelize begins no transaction by itself.
  up: (queries) =>
    queries.sequelize.transaction(async (transaction) => {
      await queries.sequelize.query(
        "ALTER TABLE wishlist_items ALTER COLUMN updated_at SET NOT NULL",
        { transaction }
      );
      await queries.removeConstraint("wishlist_items", "updated_at_is_set", { transaction });
    }),
  async down() {},
};
