import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FORMATS } from '../scripts/fuzz-formats.mjs';

// Refusing a large file takes memory for at most 3 times the file and 8 MiB, and little time. Each file has a process
// of its own with the built package, so that the memory of one does not hide that of the next.

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * A program that reads a large file of a format. It prints the peak of the memory that reading took, in bytes beyond three times
 * the file, and its time as a multiple of a loop over as many bytes.
 */
const program = (format: string, large: string) => `
  import { ModelError } from 'lstm-wasm';
  import { FORMATS } from './scripts/fuzz-formats.mjs';
  import { SIZE } from './scripts/large-files.mjs';
  import { crc32 } from './scripts/mutants.mjs';
  const { load, large, fromBytes = (bytes) => bytes } = FORMATS[${JSON.stringify(format)}];
  const bytes = large[${JSON.stringify(large)}]();
  const { length } = bytes;
  const file = fromBytes(bytes);
  const before = process.resourceUsage().maxRSS;
  const start = process.cpuUsage();
  let error;
  try {
    load(file);
  } catch (thrown) {
    error = thrown;
  }
  const took = process.cpuUsage(start).user;
  const grown = 1024 * (process.resourceUsage().maxRSS - before);
  // a byte at a time, as a reader does, over as many bytes
  const beside = process.cpuUsage();
  crc32(Buffer.alloc(SIZE));
  const yardsticks = took / process.cpuUsage(beside).user;
  const refused = error instanceof ModelError ? error.code : String(error);
  console.log(JSON.stringify({ refused, beyond: grown - 3 * length, yardsticks, grown }));
`;

const files = Object.entries(FORMATS).flatMap(([format, { large }]) => {
  return Object.keys(large).map((name): [format: string, large: string] => [format, name]);
});

test.each(files)('refusing 32 MB of %s: %s', (format, large) => {
  // with a small nursery: garbage that V8 has not yet looked at is not what reading takes, and comes and goes by 16 MB
  const args = ['--max-semi-space-size=1', '--input-type=module', '--eval', program(format, large)];
  const result = JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }));
  expect(result.refused).toMatch(/^[a-z0-9-]+$/);
  expect(result.beyond).toBeLessThan(2 ** 23);
  // measured: 1 to 12; whatever looks at bytes again and again takes thousands
  expect(result.yardsticks).toBeLessThan(30);
});
