#!/usr/bin/env bash
# Sequelize's sync({ alter: true }) adds the same unique constraint again with each start.
#
# Program   sequelize 6.37.8 with pg 8.16.3, PostgreSQL 18.6
# Tried     a model with a unique column; the application starts five times with sync({ alter: true })
# Seen      five unique constraints on that column, column_email_key to column_email_key4, each with its index; exit
#           status 0 each time
# Matters   each deployment locks out reads and writes while it builds an index, and each write pays for all of them.
#           After weeks a table has hundreds. Name the unique index in the model's indexes, or leave sync to tests
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
npm install --silent --no-audit --no-fund sequelize@6.37.8 pg@8.16.3 >/dev/null

cat >start.js <<'JS'
const { Sequelize, DataTypes } = require("sequelize");
const db = new Sequelize("postgres", "postgres", "", { dialect: "postgres", host: process.env.PGHOST, logging: false });
const way = process.argv[2];
const email = { type: DataTypes.STRING, unique: way === "column" };
const indexes = way === "index" ? [{ name: "only_one", unique: true, fields: ["email"] }] : [];
db.define(way, { email }, { freezeTableName: true, timestamps: false, indexes });
db.sync({ alter: true }).then(() => db.close()).then(() => console.log("started"));
JS
start() { PGHOST=$work/prod node start.js "$1"; }
indexes() {
  sql prod "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
            WHERE indrelid = '$1'::regclass AND NOT indisprimary"
}
for _ in 1 2 3 4 5; do expect 0 started start column; done
same "after five starts" "column_email_key column_email_key1 column_email_key2 column_email_key3 column_email_key4" \
  "$(indexes '"column"')"
# The control: an index that has a name in the model is made once.
for _ in 1 2 3; do expect 0 started start index; done
same "with a name" only_one "$(indexes index)"
