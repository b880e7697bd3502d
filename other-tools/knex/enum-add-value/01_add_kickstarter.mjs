// Knex makes one transaction of all pending files. One without a transaction gives each file its own.
export const config = { transaction: false };

export const up = (knex) => knex.raw("ALTER TYPE store ADD VALUE IF NOT EXISTS 'kickstarter'");

export async function down() {}
