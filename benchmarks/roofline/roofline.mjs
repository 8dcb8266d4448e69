// What the engine and the processor can do, and how much of that each kernel reaches.
import { parseArgs } from 'node:util';
import { LAUNCH_OPTIONS, launch, NODE, processor } from '../launch.mjs';
import { progress } from '../progress.mjs';
import { digits, heading, record, save, table } from '../report.mjs';
import { SHAPES } from '../shapes.mjs';
import { measureActivations, measureBlocks, measureProducts, measureWhole } from './kernels.mjs';
import { measurePeaks } from './peaks.mjs';

const { values: options } = parseArgs({ options: LAUNCH_OPTIONS });
launch(options);

const ms = options.quick ? 5 : 25;
const peaks = await measurePeaks(ms, progress);
const activations = await measureActivations(ms);
const products = await measureProducts(peaks, ms, progress);
const whole = await measureWhole(peaks, activations, SHAPES, ms, progress);
const blocks = await measureBlocks(peaks, activations, ms);
progress('');

const report = {
  runtime: NODE,
  cpu: processor(),
  date: new Date().toISOString(),
  quick: options.quick,
  peaks,
  activations,
  products,
  whole,
  blocks,
};
const markdown = describe(report);
console.log(`${markdown}\n\nsaved as ${save('roofline', report, markdown)}.json, .md`);
if (options.record) record('roofline', report, markdown);

function describe(report) {
  const percent = (share) => `${Math.round(100 * share)} %`;
  const size = (bytes) => (bytes < 2 ** 20 ? `${bytes / 2 ** 10} KB` : `${bytes / 2 ** 20} MB`);
  const { bandwidth, multiplyAdd, relaxedMultiplyAdd, dotI16, relaxedDotI8, callNs } = peaks;
  const sizes = bandwidth.filter(([bytes]) => Number.isInteger(Math.log2(bytes)));
  const rowCounts = [...new Set(products.map(({ rows }) => rows))];
  const productNames = [...new Set(products.map(({ K, H }) => `${K}x${H}`))];
  const cell = (name, rows) => {
    const { gflops, share, binds } = products.find(({ K, H, rows: n }) => `${K}x${H}` === name && n === rows);
    return `${digits(gflops)} (${percent(share)}${binds === 'memory' ? ' m' : ''})`;
  };
  return [
    heading('Roofline', report),
    'Reading from linear memory, GB/s by working set:',
    table([sizes.map(([bytes]) => size(bytes)), sizes.map(([, rate]) => rate.toFixed(0))]),
    table([
      ['from registers', 'peak'],
      ['f32 multiply, add', `${digits(multiplyAdd)} GFLOP/s`],
      ['f32 relaxed_madd', relaxedMultiplyAdd ? `${digits(relaxedMultiplyAdd)} GFLOP/s` : 'not here'],
      ['dot_i16x8_s, add', `${digits(dotI16)} GOP/s`],
      ['relaxed_dot_i8x16_i7x16_add_s', relaxedDotI8 ? `${digits(relaxedDotI8)} GOP/s` : 'not here'],
      ['a call from JavaScript', `${digits(callNs)} ns`],
      ['LSTM gates, a unit', `${digits(activations.gatesNs)} ns`],
      ['sigmoid, tanh, an element', `${digits(activations.sigmoidNs)}, ${digits(activations.tanhNs)} ns`],
    ]),
    'Products by rows: GFLOP/s, and the share of the binding limit (m: reading the weights, else the multiply-add peak):',
    table([
      ['K x H', ...rowCounts.map((n) => (n === 1 ? 'gemv' : `gemm ${n}`))],
      ...productNames.map((name) => [name, ...rowCounts.map((n) => cell(name, n))]),
    ]),
    'Whole steps and sequences through the public API, against products at their limit and gates at their best:',
    table([
      ['shape', 'us', 'binds', 'share'],
      ...whole.map(({ shape, us, binds, share }) => [shape, digits(us), binds, percent(share)]),
    ]),
    '`run` of a stream, 128 samples in a call, and how many such amps one AudioWorklet carries at 48 kHz:',
    table([
      ['shape', 'ns a sample', 'share', 'amps'],
      ...blocks.map(({ shape, ns, share, amps }) => [shape, digits(ns), percent(share), amps]),
    ]),
  ].join('\n\n');
}
