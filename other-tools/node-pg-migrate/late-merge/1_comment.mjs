export const up = (pgm) => {
  pgm.sql("COMMENT ON TABLE wishlist_items IS '1'");
};
export const down = false;
