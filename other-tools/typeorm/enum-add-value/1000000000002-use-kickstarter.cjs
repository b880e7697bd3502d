module.exports = class UseKickstarter1000000000002 {
  up = (runner) =>
    runner.query(
      "UPDATE wishlist_items SET store = 'kickstarter' WHERE url LIKE 'https://www.kickstarter.com/%'"
    );

  async down() {}
};
