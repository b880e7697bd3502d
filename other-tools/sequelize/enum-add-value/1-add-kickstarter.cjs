module.exports = {
  up: ({ sequelize }) =>
    sequelize.query("ALTER TYPE store ADD VALUE IF NOT EXISTS 'kickstarter'"),
  async down() {},
};
