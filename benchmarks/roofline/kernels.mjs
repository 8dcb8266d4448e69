import { readFileSync } from 'node:fs';
import { LSTM } from 'lstm-wasm';
import { median, Stopwatch } from '../measure.mjs';
import { open } from '../ours.mjs';
import { inputOf, nameOf, weightsOf } from '../shapes.mjs';
import { bandwidthAt, fastest } from './peaks.mjs';

/** K x H of the products: K inputs to 4 H gates. */
const PRODUCTS = [
  [40, 40],
  [64, 64],
  [77, 77],
  [128, 128],
  [256, 256],
  [300, 300],
  [512, 512],
  [1024, 1024],
];
/** Columns of a panel, assembly/panels.ts */
const PANEL = 16;
const ROWS = [2, 3, 4, 5, 7, 8, 16, 32, 64];

/** An instance of the kernels of its own, with a memory that nobody else uses. */
function kernels() {
  const module = new WebAssembly.Module(readFileSync(new URL('../../dist/lstm.wasm', import.meta.url)));
  const { exports } = new WebAssembly.Instance(module);
  let end = Math.ceil(exports.HEAP_BASE.value / 64) * 64;
  return {
    ...exports,
    unitsOfPanel: PANEL / 4,
    /** Room for `count` floats, filled with small numbers. */
    floats(count) {
      const at = end;
      end += Math.ceil(count / 16) * 64;
      const missing = end - exports.memory.buffer.byteLength;
      if (missing > 0) exports.memory.grow(Math.ceil(missing / 65536));
      new Float32Array(exports.memory.buffer, at, count).forEach((_, i, view) => {
        view[i] = ((i * 7919) % 2001) / 1000 - 1;
      });
      return at;
    },
  };
}

async function medianUs(call, ms) {
  const watch = new Stopwatch(call);
  await watch.warm(2 * ms);
  return median(await watch.round(ms));
}

/** The microseconds that reading the weights or the arithmetic takes at least, and which of the two binds. */
function productLimit(peaks, flops, weightBytes, workingSet = weightBytes) {
  const compute = flops / peaks.multiplyAdd / 1000;
  const memory = weightBytes / bandwidthAt(peaks, workingSet) / 1000;
  return memory > compute ? { us: memory, binds: 'memory' } : { us: compute, binds: 'arithmetic' };
}

/** The products alone, of one row and of many. */
export async function measureProducts(peaks, ms, progress) {
  const rows = [];
  for (const [K, H] of PRODUCTS) {
    const { floats, unitsOfPanel, gemv_f32, multiply, memory } = kernels();
    const panels = Math.ceil(H / unitsOfPanel);
    const most = Math.max(...ROWS);
    const w = floats(panels * K * PANEL);
    const x = floats(most * K);
    const init = floats(panels * PANEL);
    const z = floats(most * panels * PANEL);
    // Product in assembly/product.ts
    const product = floats(12);
    const weightBytes = panels * K * 64;
    const flops = 8 * K * H;
    for (const n of [1, ...ROWS]) {
      progress(`product ${K}x${H}, ${n} rows`);
      new Int32Array(memory.buffer, product, 12).set([w, x, 4 * K, K, init, 0, z, panels * 64, n, panels, 0, 0]);
      const call = n === 1 ? () => gemv_f32(w, x, K, init, z, panels) : () => multiply(product);
      const us = await medianUs(call, ms);
      const { us: least, binds } = productLimit(peaks, flops * n, weightBytes);
      rows.push({
        kernel: n === 1 ? 'gemv_f32' : 'gemm_f32',
        K,
        H,
        rows: n,
        us,
        gflops: (flops * n) / us / 1000,
        binds,
        share: least / us,
      });
    }
  }
  return rows;
}

/** Nanoseconds an element, at best: what the gates and activations cost when nothing else does. */
export async function measureActivations(ms) {
  const { floats, lstm_gates_f32, sigmoid_f32, tanh_f32 } = kernels();
  const H = 1024;
  const z = floats(4 * H);
  const [c, h, y] = [floats(H), floats(H), floats(H)];
  const ns = async (call) => ((await fastest(call, ms)) * 1000) / H;
  return {
    gatesNs: await ns(() => lstm_gates_f32(z, c, h, y, H)),
    sigmoidNs: await ns(() => sigmoid_f32(z, H)),
    tanhNs: await ns(() => tanh_f32(z, H)),
  };
}

/** Steps and sequences through the public API, against products at their limit plus gates at their best. */
export async function measureWhole(peaks, activations, shapes, ms, progress) {
  const rows = [];
  const { unitsOfPanel } = kernels();
  for (const shape of shapes) {
    progress(nameOf(shape));
    const { I, H, L, D, T, B, stream } = shape;
    const input = inputOf(shape);
    const player = open(shape, weightsOf(shape));
    const frame = input.subarray(0, I);
    const us = await medianUs(stream ? () => player.step(frame) : () => player.forward(input), 4 * ms);
    const bytes = (K) => Math.ceil(H / unitsOfPanel) * 64 * K;
    let all = 0;
    for (let layer = 0; layer < L; layer++) all += D * bytes((layer === 0 ? I : D * H) + H);
    const limits = { memory: 0, arithmetic: 0 };
    for (let layer = 0; layer < L; layer++) {
      const K = layer === 0 ? I : D * H;
      if (stream) {
        const { us, binds } = productLimit(peaks, 8 * H * (K + H), bytes(K + H), all);
        limits[binds] += us;
        continue;
      }
      // the input's product of all steps at once, then a product of B rows a step
      const parts = [
        productLimit(peaks, 8 * H * K * T * B, bytes(K)),
        productLimit(peaks, 8 * H * H * T * B, bytes(H) * T, bytes(H)),
      ];
      for (const { us, binds } of parts) limits[binds] += D * us;
    }
    const gates = (activations.gatesNs * H * L * D * (stream ? 1 : T * B)) / 1000;
    const least = limits.memory + limits.arithmetic + gates + (stream ? peaks.callNs / 1000 : 0);
    const binds =
      gates > limits.memory + limits.arithmetic ? 'gates' : limits.memory > limits.arithmetic ? 'memory' : 'arithmetic';
    rows.push({ shape: nameOf(shape), us, binds, share: least / us });
  }
  return rows;
}

/** 128 samples of audio in one call: what an AudioWorklet asks for. */
export async function measureBlocks(peaks, activations, ms) {
  const SAMPLES = 128;
  const rows = [];
  for (const H of [8, 20, 40]) {
    const lstm = LSTM.fromStateDict(weightsOf({ I: 1, H, L: 1, D: 1 }));
    const stream = lstm.stream();
    const input = inputOf({ I: 1, T: SAMPLES, B: 1 });
    const output = new Float32Array(SAMPLES * H);
    const ns = ((await medianUs(() => stream.run(input, output), 4 * ms)) * 1000) / SAMPLES;
    const least = (8 * H * (1 + H)) / peaks.multiplyAdd + activations.gatesNs * H;
    rows.push({ shape: `1x${H}`, ns, share: least / ns, amps: Math.floor(1e9 / 48_000 / ns) });
  }
  return rows;
}
