export const up = (knex) => knex.raw("COMMENT ON TABLE wishlist_items IS '1'");

export async function down() {}
