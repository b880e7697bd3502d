export async function up(knex) {
  await knex.raw("SET LOCAL lock_timeout = 0");
  await knex.raw("UPDATE wishlist_items SET title = title || '!'");
}

export async function down() {}
