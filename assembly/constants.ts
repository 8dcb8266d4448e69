// What TypeScript needs to know of the kernels, for the build to read: a module of its own, which nobody ships.
export { ABI } from './abi';
export { TILE_ROWS } from './gemm';
export { INT8_DEPTH } from './int8';
export { PANEL } from './panels';
export { FLOAT32, I8, I8_RELAXED } from './product';
