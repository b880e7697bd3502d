export const up = (pgm) => {
  pgm.addTypeValue("store", "kickstarter", { ifNotExists: true });
};
export const down = false;
