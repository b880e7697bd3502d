export const up = (pgm) => {
  pgm.sql("SET LOCAL lock_timeout = 0");
  pgm.sql("UPDATE wishlist_items SET title = title || '!'");
};
export const down = false;
