module.exports = class AddKickstarter1000000000001 {
  up = (runner) => runner.query("ALTER TYPE store ADD VALUE IF NOT EXISTS 'kickstarter'");

  async down() {}
};
