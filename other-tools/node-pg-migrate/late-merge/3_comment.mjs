export const up = (pgm) => {
  pgm.sql("COMMENT ON TABLE wishlist_items IS '3'");
};
export const down = false;
