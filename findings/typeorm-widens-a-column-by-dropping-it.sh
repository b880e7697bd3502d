#!/usr/bin/env bash
# TypeORM makes a column longer by dropping it: its values are gone, and the migration ends with 0.
#
# Program   typeorm 1.1.1 with pg 8.16.3, PostgreSQL 18.6
# Tried     the entity says length 50, then 60. migration:generate writes the difference, migration:run applies it
# Seen      DROP COLUMN, ADD COLUMN; "executed successfully", exit status 0; every row has the default
# Matters   ALTER TABLE ... TYPE varchar(60) is one statement that reads no row. What is generated has to be read:
#           a DROP COLUMN in it is a loss
. "$(dirname "$0")/lib.sh"
postgresql
cluster prod
npm install --silent --no-audit --no-fund typeorm@1.1.1 pg@8.16.3 reflect-metadata@0.2.2 >/dev/null

entity() {
  cat >source.js <<JS
const { DataSource, EntitySchema } = require("typeorm");
const Client = new EntitySchema({
  name: "client",
  columns: {
    id: { type: "int", primary: true },
    name: { type: "varchar", length: $1, default: "nobody" },
  },
});
module.exports = new DataSource({
  type: "postgres", host: process.env.PGHOST, username: "postgres", database: "postgres",
  entities: [Client], migrations: ["migrations/*.js"],
});
JS
}
tool() { PGHOST=$work/prod node_modules/.bin/typeorm "$@" -d source.js; }
names() { sql prod "SELECT string_agg(name, ' ' ORDER BY id) FROM client"; }

entity 50
expect 0 "generated successfully" tool migration:generate migrations/make -o
expect 0 "executed successfully" tool migration:run
sql prod "INSERT INTO client VALUES (1, 'Ann'), (2, 'Ben')"
same "before" "Ann Ben" "$(names)"

entity 60
expect 0 "generated successfully" tool migration:generate migrations/widen -o
grep -o 'query(`[^`]*`' migrations/*widen.js
expect 0 "executed successfully" tool migration:run
same "after" "nobody nobody" "$(names)"
