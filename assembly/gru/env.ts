import { Product } from '../product';

// The kernel that this module imports from lstm.wasm: asc turns declarations in a file named env into imports.

/** Computes a product, in the form of its weights. */
export declare function multiply(product: Product): void;
