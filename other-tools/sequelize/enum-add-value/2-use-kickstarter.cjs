module.exports = {
  up: ({ sequelize }) =>
    sequelize.query(
      "UPDATE wishlist_items SET store = 'kickstarter' WHERE url LIKE 'https://www.kickstarter.com/%'"
    ),
  async down() {},
};
