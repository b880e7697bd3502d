const { DataSource } = require("typeorm");

module.exports = new DataSource({
  type: "postgres",
  // libpq's environment names the database.
  extra: { options: "-c lock_timeout=2s" },
  migrations: ["migrations/*.cjs"],
  migrationsTransactionMode: "each",
});
