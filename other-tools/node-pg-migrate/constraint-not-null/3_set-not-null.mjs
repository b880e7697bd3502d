export const up = (pgm) => {
  pgm.sql("SET LOCAL lock_timeout = '2s'");
  pgm.alterColumn("wishlist_items", "updated_at", { notNull: true });
  pgm.dropConstraint("wishlist_items", "updated_at_is_set");
};
export const down = false;
