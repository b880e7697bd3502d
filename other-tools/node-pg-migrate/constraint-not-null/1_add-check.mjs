export const up = (pgm) => {
  pgm.sql("SET LOCAL lock_timeout = '2s'");
  pgm.sql(
    "ALTER TABLE wishlist_items ADD CONSTRAINT updated_at_is_set CHECK (updated_at IS NOT NULL) NOT VALID"
  );
};
export const down = false;
