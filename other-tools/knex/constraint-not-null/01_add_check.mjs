export const up = (knex) =>
  knex.raw(
    "ALTER TABLE wishlist_items ADD CONSTRAINT updated_at_is_set CHECK (updated_at IS NOT NULL) NOT VALID"
  );

export async function down() {}
