export { selfTest } from './check/self-test.ts';
