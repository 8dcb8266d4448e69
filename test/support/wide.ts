import { initialize } from '../../src/memory/wasm.ts';

// Fails every test of a process that was to have wide kernels and has not.
if (!initialize()) throw new Error(`the kernels are not wide in Node ${process.version} ${process.execArgv.join(' ')}`);
