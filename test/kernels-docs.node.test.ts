// docs/kernels.md and docs/kernels.mjs against the kernels: bits, layouts, indices, names, numbers and the recipe.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { gates, pack, pack8, place, product, product8 } from '../docs/kernels.mjs';
import { LSTM } from '../src/index.ts';
import { initialize, wasm } from '../src/memory/wasm.ts';
import { uniforms } from './support/random.ts';

// the relaxed form wherever the engine has it, the plain one in Node 20
initialize(undefined, { relaxed: true });

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const page = read('docs/kernels.md');
const assembly = readdirSync(join(root, 'assembly'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `assembly/${name.replaceAll('\\', '/')}`);

const blocks = [...page.matchAll(/^```\w*\n(.*?)^```$/gms)].map(([, text]) => text!);
const block = (start: string) => blocks.find((text) => text.startsWith(start))!;

const inMemory = ({ buffer }: Float32Array | Uint8Array) =>
  Buffer.from(wasm().memory.buffer).includes(Buffer.from(buffer as ArrayBuffer));

/** A model, its inputs, its outputs step by step, and the sum of its biases in panels. */
function model(I: number, H: number, size: number, quantize: boolean) {
  const random = uniforms(I * 1000 + H);
  const floats = (...dims: number[]) => {
    const count = dims.reduce((a, b) => a * b);
    return { data: Float32Array.from({ length: count }, () => (2 * random() - 1) * size), dims };
  };
  const weights = {
    weight_ih_l0: floats(4 * H, I),
    weight_hh_l0: floats(4 * H, H),
    bias_ih_l0: floats(4 * H),
    bias_hh_l0: floats(4 * H),
  };
  const float32 = LSTM.fromStateDict(weights);
  const lstm = quantize ? float32.quantize() : float32;
  const x = floats(5, I);
  const output = lstm.forward(x).output.data;
  const biases = weights.bias_ih_l0.data.map((value, i) => value + weights.bias_hh_l0.data[i]!);
  return {
    lstm,
    weights,
    bias: pack(biases, 4 * H, 1, H),
    steps: Array.from({ length: 5 }, (_, t) => ({
      x: x.data.subarray(t * I, (t + 1) * I),
      output: output.subarray(t * H, (t + 1) * H),
    })),
  };
}

// both sides of four units; sums that saturate; more than one block of depth, in float32 and in 8 bits
describe.each([
  [3, 6, 1],
  [1, 1, 1],
  [16, 4, 2],
  [7, 33, 30],
  [2049, 5, 0.2],
])('kernels.mjs: LSTM(%i, %i), weights up to %d', (I, H, size) => {
  test('float32', () => {
    const { weights, bias, steps } = model(I, H, size, false);
    const ih = pack(weights.weight_ih_l0.data, 4 * H, I, H);
    const hh = pack(weights.weight_hh_l0.data, 4 * H, H, H);
    for (const panels of [ih, hh, bias]) expect(inMemory(panels)).toBe(true);
    const h = new Float32Array(H);
    const c = new Float32Array(H);
    for (const { x, output } of steps) {
      const z = bias.slice();
      product(ih, x, z);
      product(hh, h, z);
      gates(z, c, h);
      expect(h).toEqual(output);
    }
  });

  test('8 bits', () => {
    const { lstm, bias, steps } = model(I, H, size, true);
    const dict = lstm.quantizedStateDict();
    const [ih, ihScale, hh, hhScale] = ['weight_ih_l0', 'weight_ih_l0_scale', 'weight_hh_l0', 'weight_hh_l0_scale'].map(
      (name) => dict.get(name)!.data as ArrayLike<number>,
    ) as [ArrayLike<number>, ArrayLike<number>, ArrayLike<number>, ArrayLike<number>];
    // the engine decides which of the two forms it is
    const forms = [true, false].filter((plain) => inMemory(pack8(ih, 4 * H, I, H, plain)));
    expect(forms).toHaveLength(1);
    expect(inMemory(pack8(hh, 4 * H, H, H, forms[0]!))).toBe(true);
    const h = new Float32Array(H);
    const c = new Float32Array(H);
    for (const { x, output } of steps) {
      const z = bias.slice();
      product8(ih, ihScale, H, x, z);
      product8(hh, hhScale, H, h, z);
      gates(z, c, h);
      expect(h).toEqual(output);
    }
  });
});

test('kernels.mjs: rows that keep their order', () => {
  for (const row of [0, 15, 16, 40]) {
    const { panel, column } = place(row, 0);
    expect(wasm().panel_index(row, 5, 0)).toBe(panel * 5 * 16 + column);
  }
});

describe('kernels.md', () => {
  const [K, H] = [3, 6];

  test('the picture of two panels', () => {
    const floats = new Array<string>(2 * K * 16).fill('.');
    for (let row = 0; row < 4 * H; row++) {
      for (let k = 0; k < K; k++) floats[wasm().panel_index(row, K, H) + 16 * k] = `${row}`;
    }
    const lines = block('panel 0').matchAll(/^k = (\d) +([\d .]+?) {3,}floats +(\d+) \.\. (\d+)$/gm);
    const picture = [...lines].map(([, k, cells, first, last]) => [k, ...cells!.split(/ +/), first, last].join(' '));
    expect(picture).toEqual(
      Array.from({ length: 2 * K }, (_, line) => {
        const first = 16 * line;
        return [line % K, ...floats.slice(first, first + 16), first, first + 15].join(' ');
      }),
    );
  });

  test('the table of rows', () => {
    const rows = [...page.matchAll(/^\| (\d+) \| ([ifgo]), (\d) \| (.+) \|$/gm)];
    expect(rows).toHaveLength(6);
    for (const [, row, gate, unit, numbers] of rows) {
      const r = Number(row);
      const at = wasm().panel_index(r, K, H);
      expect([gate, unit]).toEqual(['ifgo'[Math.floor(r / H)], `${r % H}`]);
      expect(numbers!.split(' | ').map(Number)).toEqual([Math.floor(at / (16 * K)), at % 16, at, at + 16, at + 32]);
    }
  });

  test('the byte of an 8-bit weight', () => {
    const [, row, k, byte] = page.match(/^W\[(\d+)\]\[(\d+)\] of the example above .* = (\d+)\.$/m)!.map(Number);
    const matrix = new Int8Array(4 * H * K);
    matrix[row! * K + k!] = 1;
    expect(pack8(matrix, 4 * H, K, H, false).indexOf(1)).toBe(byte);
  });

  test('numbers', () => {
    const constant = (name: string, file: string) =>
      Number(read(file).match(new RegExp(`^(?:export )?const ${name}(?:: \\w+)? = ([\\d.]+);$`, 'm'))?.[1]);
    const says = (text: string) => expect(page.includes(text), text).toBe(true);
    says(`pauses a sum after ${constant('DEPTH', 'assembly/gemm.ts')} k`);
    says(`has ${constant('TILE_ROWS', 'assembly/gemm.ts')} rows and 8 columns`);
    says(`blocks of ${constant('PANEL', 'assembly/panels.ts')} columns`);
    says(`127 * 8192 * ${constant('INT8_DEPTH', 'assembly/int8.ts')} < 2^31`);
    const [, kilobytes] = page.match(/about (\d+) KB/)!;
    expect(read('src/nn/sequence.ts')).toContain(`const BLOCK_BYTES = 1 << ${Math.log2(1024 * Number(kilobytes))};`);
  });

  test('names of kernels and files', () => {
    const code = assembly.map(read).join('\n');
    const names = new Set([...page.matchAll(/`(?:i32x4\.)?([a-z]\w*_\w+)`/g)].map(([, name]) => name!));
    // of a state dict; tried and not kept
    for (const name of ['weight_ih_l0', 'weight_hh_l0', 'weight_hr', 'relaxed_madd', 'load8x8_s']) names.delete(name);
    expect(names.size).toBeGreaterThan(12);
    const defined = (name: string) => new RegExp(`\\b(function |i32x4\\.)${name}[(<]`).test(code);
    expect([...names].filter((name) => !defined(name))).toEqual([]);
    for (const name of ['Model', 'Direction', 'Run', 'Product', 'Exp']) {
      expect(page.includes(`\`${name}\``), name).toBe(true);
      expect(code.includes(`class ${name} {`), name).toBe(true);
    }
    const functions = read('docs/kernels.mjs').match(/(?<=export function )\w+/g)!;
    for (const [, list] of page.matchAll(/\(kernels\.mjs: (.*?)\)/g)) {
      for (const [, name] of list!.matchAll(/`(\w+)`/g)) expect(functions).toContain(name);
    }
    for (const [, path] of page.matchAll(/`((?:assembly|src|test)\/[\w./-]*)`|\]\((\.[\w./-]+)\)/g)) {
      if (path) expect(existsSync(join(root, path)), path).toBe(true);
    }
  });

  test('sections, to which the sources point', () => {
    const titles = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title!.toLowerCase());
    const sections = titles.map((title) => title.replace(/[^a-z0-9 -]/g, '').replaceAll(' ', '-'));
    for (const file of ['docs/kernels.md', 'README.md', 'CONTRIBUTING.md', ...assembly]) {
      for (const [, anchor] of read(file).matchAll(/(?:kernels\.md|\]\()#([\w-]+)/g))
        expect(sections, file).toContain(anchor);
    }
    // the others are helpers or no part of the LSTM
    const others = ['abi', 'constants', 'elementwise', 'index', 'lanes', 'linear', 'random', 'rows'].map(
      (name) => `assembly/${name}.ts`,
    );
    const kernels = assembly.filter(
      (file) => !others.includes(file.replace('/gru/', '/')) && !/^assembly\/(onnx\/|gru\/env)/.test(file),
    );
    for (const file of kernels) expect(read(file), file).toMatch(/^\/\/ docs\/kernels\.md#[\w-]+\n/);
  });

  test('the recipe for machine code', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-look-'));
    try {
      const script = join(folder, 'look.mjs');
      writeFileSync(script, block('// look.mjs'));
      const run = (...flags: string[]) => {
        const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, script], {
          cwd: root,
          encoding: 'utf8',
        });
        expect([status, stderr]).toEqual([0, '']);
        return stdout;
      };
      const [, index] = run().match(/^(\d+) gemv_f32$/m)!;
      const [, flags] = page.match(/^node (.*=)\d+ look\.mjs > code\.txt$/m)!;
      const code = run(...`${flags}${index}`.split(' '));
      expect(code).toContain(`\nindex: ${index}\n`);
      expect(code.split('\n').length).toBeGreaterThan(300);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
