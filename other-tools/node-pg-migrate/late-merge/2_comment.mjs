export const up = (pgm) => {
  pgm.sql("COMMENT ON TABLE wishlist_items IS '2'");
};
export const down = false;
