// The constants of the kernels that TypeScript needs. The build compiles this module, reads them, and does not ship it.
export { ABI } from './abi';
export { TILE_ROWS } from './gemm';
export { INT8_DEPTH } from './int8';
export { PANEL } from './panels';
export { FLOAT32, FLOAT32_WIDE, I8, I8_RELAXED } from './product';
