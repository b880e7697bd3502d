export const up = (knex) =>
  knex("wishlist_items")
    .where("url", "like", "https://www.kickstarter.com/%")
    .update({ store: "kickstarter" });

export async function down() {}
