import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LSTM, type LSTMResult, type LSTMState, type LSTMStream, type TensorLike } from '../../src/index.ts';
import { pick, transpose } from './axes.ts';
import { numberBits } from './bits.ts';
import { randomTensor } from './tensors.ts';

// Random modules and inputs for what must hold for each of them, bit for bit. Shapes are odd; the run is seeded.

export const SEED = 20250101;

export function expectSame(what: string, got: TensorLike, wanted: TensorLike): void {
  expect(got.dims, what).toEqual(wanted.dims);
  const a = numberBits(got);
  const b = numberBits(wanted);
  expect(a.length, what).toBe(b.length);
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) expect(got.data[i], `${what}: element ${i} of ${a.length}`).toBe(`${wanted.data[i]}, same bits`);
  }
}

export function expectSameResult(what: string, got: LSTMResult, wanted: LSTMResult): void {
  for (const name of ['output', 'hn', 'cn'] as const) expectSame(`${what}, ${name}`, got[name], wanted[name]);
}

export interface Case {
  inputSize: number;
  hiddenSize: number;
  numLayers: number;
  bias: boolean;
  batchFirst: boolean;
  bidirectional: boolean;
  projSize: number;
  batch: number;
  steps: number;
  /** Whether h0 and c0 are given */
  state: boolean;
  seed: number;
}

export const size = (max: number) => fc.integer({ min: 1, max });
export const cases = fc
  .record<Case>({
    inputSize: size(19),
    hiddenSize: size(19),
    numLayers: size(3),
    bias: fc.boolean(),
    batchFirst: fc.boolean(),
    bidirectional: fc.boolean(),
    projSize: fc.integer({ min: 0, max: 18 }),
    batch: size(9),
    steps: size(12),
    state: fc.boolean(),
    seed: fc.nat(),
  })
  .map((c) => ({ ...c, projSize: c.projSize < c.hiddenSize ? c.projSize : 0 }));

export type Law = (model: LSTM, input: TensorLike, given: LSTMState | undefined, c: Case) => void;

/** Random modules with random input; half of the inputs hold a few unusual numbers, which soon fill a row with NaN. */
export function law(name: string, holds: Law, fixed: Partial<Case> = {}): void {
  test(name, () => {
    const property = fc.property(cases, (random) => {
      const c = { ...random, ...fixed };
      run(c, (model, input, given) => holds(model, input, given, c), c.seed % 2 === 1);
    });
    fc.assert(property, { seed: SEED, numRuns: 60 });
  });
}

/** The same for modules that can stop and go on. */
export const oneWayLaw = (name: string, holds: Law) => law(name, holds, { bidirectional: false });

export function run(
  c: Case,
  body: (model: LSTM, input: TensorLike, given: LSTMState | undefined) => void,
  specials = false,
) {
  const model = makeModel(c);
  const input = randomTensor([c.steps, c.batch, c.inputSize], c.seed + 1, specials);
  const layers = c.numLayers * (c.bidirectional ? 2 : 1);
  const h0 = randomTensor([layers, c.batch, c.projSize || c.hiddenSize], c.seed + 2);
  const c0 = randomTensor([layers, c.batch, c.hiddenSize], c.seed + 3);
  body(model, c.batchFirst ? transpose(input) : input, c.state ? { h0, c0 } : undefined);
  model.dispose();
}

export function makeModel({
  inputSize,
  hiddenSize,
  numLayers,
  bias,
  batchFirst,
  bidirectional,
  projSize,
  seed,
}: Case): LSTM {
  return new LSTM(inputSize, hiddenSize, { numLayers, bias, batchFirst, bidirectional, projSize, seed });
}

/** The state of one sequence of a batch, unbatched. */
export function stateOf(given: LSTMState | undefined, b: number): LSTMState | undefined {
  return given && { h0: pick(given.h0, 1, b), c0: pick(given.c0, 1, b) };
}

/** Block lengths that make up `steps`, decided by `seed`. */
export function pieces(steps: number, seed: number, longest = 5): number[] {
  const lengths: number[] = [];
  for (let at = 0, k = seed; at < steps; k = (Math.imul(k, 1103515245) + 12345) >>> 1) {
    lengths.push(Math.min(steps - at, 1 + (k % longest)));
    at += lengths.at(-1)!;
  }
  return lengths;
}

/** Step after step through the stream's own input and output. */
export function stepThrough(stream: LSTMStream, input: Float32Array, output: Float32Array): void {
  const [I, O] = [stream.input.length, stream.output.length];
  for (let t = 0; t * I < input.length; t++) {
    stream.input.set(input.subarray(t * I, (t + 1) * I));
    stream.step();
    output.set(stream.output, t * O);
  }
}
