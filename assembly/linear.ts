import { multiply } from './multiply';
import { float_bytes } from './panels';
import { Product } from './product';
import { copy_rows } from './rows';

/**
 * out[r][0 .. outFeatures-1] = bias + W x[r], rows next to each other. Computes `product`, whose z is scratch, and copies its
 * columns without those that fill the last panel.
 */
export function linear(product: Product, out: usize, outFeatures: i32): void {
  multiply(product);
  copy_rows(out, float_bytes(outFeatures), product.z, product.zStride, product.rows, outFeatures);
}
