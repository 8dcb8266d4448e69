// Ours against plain JavaScript: a stream's step and a whole sequence. Outputs are compared before anything is timed.
import { cpus } from 'node:os';
import { LSTM } from 'lstm-wasm';
import { interleave } from './measure.mjs';
import { PlainLSTM } from './plain.mjs';

const T = 100;
// I x H, named for where such sizes come from
const SHAPES = [
  ['guitar amp', 1, 8],
  ['keywords', 64, 64],
  ['voice activity', 128, 128],
  ['speech', 256, 256],
  ['speech', 512, 512],
];

function largestDifference(a, b) {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);
}

function measureShape([name, I, H]) {
  const lstm = new LSTM(I, H, { seed: 1 });
  const plain = new PlainLSTM(lstm.stateDict(), I, H);
  const stream = lstm.stream();
  const x = Float32Array.from({ length: T * I }, (_, i) => Math.sin(i * 0.7));
  const expected = new Float32Array(T * H);
  const plainSequence = () => {
    plain.reset();
    for (let t = 0; t < T; t++) {
      plain.step(x, t * I);
      expected.set(plain.h, t * H);
    }
  };
  plainSequence();

  const streamed = new Float32Array(T * H);
  for (let t = 0; t < T; t++) {
    stream.input.set(x.subarray(t * I, (t + 1) * I));
    stream.step();
    streamed.set(stream.output, t * H);
  }
  const input = { data: x, dims: [T, I] };
  const out = lstm.forward(input);
  const error = Math.max(largestDifference(streamed, expected), largestDifference(out.output.data, expected));
  if (!(error < 5e-6)) throw new Error(`${I}x${H}: outputs differ by ${error}`);

  const flops = 8 * H * (I + H);
  const rows = [
    ['step', 1, { ours: () => stream.step(), plain: () => plain.step(x, 0) }],
    ['sequence', T, { ours: () => lstm.forward(input, undefined, { out }), plain: plainSequence }],
  ].map(([kind, steps, contestants]) => {
    const time = interleave(contestants);
    return {
      shape: `${I}x${H}`,
      from: name,
      kind: kind === 'step' ? 'stream step' : `sequence of ${steps}`,
      'ours us': time.ours.toFixed(3),
      'plain us': time.plain.toFixed(3),
      'plain / ours': (time.plain / time.ours).toFixed(1),
      'GFLOP/s': ((flops * steps) / time.ours / 1000).toFixed(1),
      error: error.toExponential(1),
    };
  });
  stream.dispose();
  lstm.dispose();
  return rows;
}

console.log(`Node ${process.version} on ${cpus()[0].model}, ${new Date().toISOString().slice(0, 10)}; medians`);
const rows = [];
for (const shape of SHAPES) {
  if (process.stderr.isTTY) process.stderr.write(`\rmeasuring ${shape[1]}x${shape[2]} ...   `);
  rows.push(...measureShape(shape));
}
if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
console.table(rows);
