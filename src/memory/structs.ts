import { FLOAT32, type FLOAT32_WIDE } from './abi.ts';
import { integers } from './arena.ts';
import type { Form } from './pack.ts';
import { floatForm } from './wasm.ts';

// The arguments of kernels: structs of 32-bit words in linear memory, in the order of the fields in assembly/. The owner of an
// object keeps and refills it, so that a call makes no garbage. Pointers and strides are in bytes.

export const RUN_BYTES = 4 * 11;
export const PRODUCT_BYTES = 4 * 12;
/** The words of a Product that change from one call of the same shape to the next. */
export const PRODUCT_X = 1;
export const PRODUCT_Z = 6;
export const PRODUCT_ROWS = 8;

/** A call of lstm_run; Run in assembly/model.ts documents the fields. */
export class Run {
  x = 0;
  even = 0;
  odd = 0;
  h = 0;
  c = 0;
  T = 0;
  batch = 0;
  batchSizes = 0;
  rows = 0;
  z = 0;
  blockRows = 0;

  /** Writes the struct to `pointer`, and returns `pointer`. */
  write(pointer: number): number {
    const words = integers();
    let at = pointer / 4;
    words[at++] = this.x;
    words[at++] = this.even;
    words[at++] = this.odd;
    words[at++] = this.h;
    words[at++] = this.c;
    words[at++] = this.T;
    words[at++] = this.batch;
    words[at++] = this.batchSizes;
    words[at++] = this.rows;
    words[at++] = this.z;
    words[at++] = this.blockRows;
    return pointer;
  }
}

/** A product of panels with rows; Product in assembly/product.ts documents the fields. */
export class Product {
  w = 0;
  x = 0;
  xStride = 0;
  K = 0;
  init = 0;
  initStride = 0;
  z = 0;
  zStride = 0;
  rows = 0;
  panels = 0;
  /** FLOAT32 is written as the form that the engine is faster with. */
  form: Form | typeof FLOAT32_WIDE = FLOAT32;
  scratch = 0;

  /** Writes the struct to `pointer`, and returns `pointer`. */
  write(pointer: number): number {
    const words = integers();
    let at = pointer / 4;
    words[at++] = this.w;
    words[at++] = this.x;
    words[at++] = this.xStride;
    words[at++] = this.K;
    words[at++] = this.init;
    words[at++] = this.initStride;
    words[at++] = this.z;
    words[at++] = this.zStride;
    words[at++] = this.rows;
    words[at++] = this.panels;
    words[at++] = this.form || floatForm;
    words[at++] = this.scratch;
    return pointer;
  }
}
