// docs/kernels.md#a-call
import { gemm_f32 } from './gemm';
import { gemm_i8 } from './int8';
import { FLOAT32, FLOAT32_WIDE, Product } from './product';

/** Computes a product, in the form of its weights. */
export function multiply(product: Product): void {
  if (product.form === FLOAT32 || product.form === FLOAT32_WIDE) gemm_f32(product);
  else gemm_i8(product);
}
