import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { expectSoon } from './support/work.ts';

// Files of a megabyte or two that ask for a lot of memory. Each is loaded in a process of its own, whose peak memory is measured.
// Needs dist/.

const dist = new URL('../dist/onnx.js', import.meta.url).href;
const root = fileURLToPath(new URL('..', import.meta.url));

/** Loads the file that `make` builds: the error, milliseconds of processor time, and the growth of the peak memory in bytes. */
function attempt(make: string): { thrown: string; took: number; grew: number; size: number } {
  const program = `
    import { loadOnnx, parseOnnx } from ${JSON.stringify(dist)};
    const repeat = (bytes, times) => { const out = new Uint8Array(bytes.length * times); for (let i = 0; i < times; i++) out.set(bytes, i * bytes.length); return out; };
    const varint = (n) => { const out = []; for (; n > 127; n = Math.floor(n / 128)) out.push(n % 128 + 128); return [...out, n]; };
    const join = (...parts) => { const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0)); let at = 0; for (const p of parts) { out.set(p, at); at += p.length; } return out; };
    const field = (number, bytes) => join(varint(number * 8 + 2), varint(bytes.length), bytes);
    const text = (s) => [...s].map((c) => c.charCodeAt(0));
    const model = (graph) => join([8, 8], field(7, graph), field(8, [16, 13]));
    const tensor = (body) => field(5, join(field(8, text('a')), body));
    const warm = model(join(field(1, join(field(1, text('a')), field(2, text('y')), field(4, text('Identity')))), tensor([8, 1, 16, 1, 37, 0, 0, 0, 0]), field(12, join(field(1, text('y')), field(2, field(1, [8, 1]))))));
    loadOnnx(warm).dispose();
    const file = ${make};
    const before = process.resourceUsage().maxRSS;
    const start = process.cpuUsage();
    let thrown = 'nothing';
    try { loadOnnx(file).dispose(); } catch (error) { thrown = error.name + ': ' + error.message; }
    const { user, system } = process.cpuUsage(start);
    console.log(JSON.stringify({ thrown, took: (user + system) / 1000, grew: 1024 * (process.resourceUsage().maxRSS - before), size: file.length }));`;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--max-semi-space-size=1', '--input-type=module', '--eval', program],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test.each([
  ['a million empty nodes', 'model(repeat([10, 0], 1e6))'],
  ['many small nodes', "model(repeat(field(1, join(field(2, text('y')), field(4, text('A')))), 2e5))"],
  ['a million empty initializers', 'model(repeat([42, 0], 1e6))'],
  ['many small initializers', 'model(repeat(tensor([16, 1, 8, 0]), 1e5))'],
  ['a million empty inputs', 'model(repeat([90, 0], 1e6))'],
  ['a million sizes', 'model(tensor(repeat([8, 1], 1e6)))'],
  [
    'a million sizes of an input',
    'model(field(11, join(field(1, text("x")), field(2, field(1, field(2, repeat([10, 0], 1e6)))))))',
  ],
  [
    'a million integers of an attribute',
    "model(field(1, join(field(4, text('A')), field(5, join(field(1, text('a')), field(8, new Uint8Array(2e6)))))))",
  ],
  ['a million empty strings', "model(field(1, join(field(4, text('A')), repeat([10, 0], 1e6))))"],
  ['a million attributes', "model(field(1, join(field(4, text('A')), repeat([42, 0], 1e6))))"],
  ['a million operator sets', 'repeat([66, 0], 1e6)'],
  ['two million groups', 'repeat([0xa3], 2e6)'],
  [
    'a tensor of 2^31 - 1 elements in 2 MB',
    'model(tensor(join([8, ...varint(2 ** 31 - 1), 16, 1], field(9, new Uint8Array(2e6)))))',
  ],
])('%s: refused within a second and 3 times the file and 8 MiB', (_, make) => {
  const { thrown, took, grew, size } = attempt(make);
  expect(thrown).toMatch(/^ModelError: onnx: /);
  expectSoon(took);
  expect(grew).toBeLessThan(3 * size + (8 << 20));
});
