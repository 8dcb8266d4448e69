import { write } from './walks.ts';

// The arguments of the kernels whose windows slide along two axes, in the order of the fields in assembly/onnx/windows.ts.

export const WINDOWS_BYTES = 4 * 22;
export const OVERLAY_BYTES = 4 * 16;

/** Windows for pool_f32 and depthwise_windows_f32. */
export class Windows {
  x = 0;
  w = 0;
  bias = 0;
  out = 0;
  batch = 0;
  channels = 0;
  height = 1;
  width = 0;
  rows = 1;
  columns = 0;
  kernelRows = 1;
  kernelColumns = 1;
  strideRows = 1;
  strideColumns = 1;
  dilationRows = 1;
  dilationColumns = 1;
  top = 0;
  left = 0;
  countedTop = 0;
  countedLeft = 0;
  countedBottom = 0;
  countedRight = 0;

  /** Writes the struct to `pointer`, and returns `pointer`. */
  write(pointer: number): number {
    return write(pointer, Object.values(this), []);
  }
}

/** The operands of overlay_f32. */
export class Overlay {
  x = 0;
  out = 0;
  channels = 0;
  n = 0;
  height = 1;
  width = 0;
  rows = 1;
  columns = 0;
  kernelRows = 1;
  kernelColumns = 1;
  strideRows = 1;
  strideColumns = 1;
  dilationRows = 1;
  dilationColumns = 1;
  top = 0;
  left = 0;

  /** Writes the struct to `pointer`, and returns `pointer`. */
  write(pointer: number): number {
    return write(pointer, Object.values(this), []);
  }
}
