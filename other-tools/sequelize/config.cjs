module.exports = {
  dialect: "postgres",
  host: process.env.PGHOST,
  port: process.env.PGPORT,
  username: process.env.PGUSER,
  database: process.env.PGDATABASE,
  dialectOptions: { options: "-c lock_timeout=2s" },
};
