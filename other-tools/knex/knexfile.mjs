export default {
  client: "pg",
  // libpq's environment names the database.
  connection: { options: "-c lock_timeout=2s" },
  migrations: { directory: "./migrations", loadExtensions: [".mjs"] },
};
