export const up = (knex) => knex.raw("COMMENT ON TABLE wishlist_items IS '3'");

export async function down() {}
