// What is counted besides the elements and multiplications themselves.

/** The fixed cost of a product, in multiplications. */
export const CALL = 1024;
/** The cost of a step of a plan, in elements. */
export const STEP = 64;
