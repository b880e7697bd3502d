export const up = (pgm) => {
  pgm.sql("UPDATE wishlist_items SET store = 'kickstarter' WHERE url LIKE 'https://www.kickstarter.com/%'");
};
export const down = false;
