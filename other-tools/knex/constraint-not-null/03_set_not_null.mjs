export const up = (knex) =>
  knex.schema.alterTable("wishlist_items", (table) => {
    table.dropNullable("updated_at");
    table.dropChecks("updated_at_is_set");
  });

export async function down() {}
