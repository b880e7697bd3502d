// Knex makes one transaction of all pending files. One without a transaction gives each file its own.
export const config = { transaction: false };

export const up = (knex) =>
  knex.raw("ALTER TABLE wishlist_items VALIDATE CONSTRAINT updated_at_is_set");

export async function down() {}
