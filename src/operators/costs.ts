// Costs that are counted besides elements and multiplications.

/** The fixed cost of a product, in multiplications. */
export const CALL = 1024;
/** The cost of a step of a plan, in elements. */
export const STEP = 64;
