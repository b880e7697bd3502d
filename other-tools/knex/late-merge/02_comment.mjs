export const up = (knex) => knex.raw("COMMENT ON TABLE wishlist_items IS '2'");

export async function down() {}
