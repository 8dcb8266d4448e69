import { describe, expect, inject, test } from 'vitest';
import {
  LSTM,
  LSTMCell,
  type PackedSequence,
  packPaddedSequence,
  padPackedSequence,
  type StateDict,
  type TensorLike,
} from '../src/index.ts';
import { parseSafetensors } from '../src/safetensors.ts';
import { digest } from './support/digest.ts';
import { readFixture, readJson } from './support/fixtures.ts';
import { uniforms } from './support/random.ts';
import { count, zeros } from './support/tensors.ts';

// Answers of PyTorch: float64, rounded to float32. Each tensor has a tolerance of its own, twice what PyTorch's own
// float32 is off by (test/fixtures/torch/README.md).

type Tensors = Map<string, any>;
const index = await readJson('torch/index.json');
const refusals = await readJson('torch/refusals.json');

/** As the fixtures' README defines them. */
function seededWeights(seed: number, count: number, scale: number): Float32Array {
  const next = uniforms(seed);
  return Float32Array.from({ length: count }, () => (2 * next() - 1) * scale);
}

function camelCase(args: Record<string, unknown>): Record<string, any> {
  return Object.fromEntries(
    Object.entries(args).map(([key, value]) => [key.replace(/_(.)/g, (_, c) => c.toUpperCase()), value]),
  );
}

function stateDict(entry: any, tensors: Tensors): StateDict {
  if (entry.weights_from) {
    const { scale, tensors: specs } = entry.weights_from;
    return new Map(
      Object.entries<any>(specs).map(([name, { seed, shape, first3, sum }]) => {
        const data = seededWeights(seed, count(shape), scale);
        expect([...data.slice(0, 3)], `${name} as the index says`).toEqual(first3);
        expect(data.reduce((total, value) => total + value, 0)).toBe(sum);
        return [name, { data, dims: shape }];
      }),
    );
  }
  return new Map([...tensors].filter(([name]) => /(weight|bias)_(ih|hh|hr)/.test(name)));
}

/** max |answer - reference| over the finite entries; NaN must stand where the reference has it and nowhere else. */
function compare(name: string, entry: any, answer: ArrayLike<number>, reference: ArrayLike<number>): void {
  expect(answer.length, `${name}: elements`).toBe(reference.length);
  let worst = 0;
  for (let i = 0; i < reference.length; i++) {
    const wanted = reference[i]!;
    const got = answer[i]!;
    if (Number.isNaN(wanted)) expect(got, `${name}[${i}]`).toBeNaN();
    else if (!Number.isFinite(wanted)) expect(got, `${name}[${i}]`).toBe(wanted);
    else {
      const error = Math.abs(got - wanted);
      // NaN if any is
      worst = Math.max(worst, error);
    }
  }
  expect(worst, `${name}: largest error`).toBeLessThanOrEqual(entry.errors[name].tol);
}

function compareAll(entry: any, tensors: Tensors, answers: Record<string, ArrayLike<number>>): void {
  expect(Object.keys(answers).sort()).toEqual(Object.keys(entry.errors).sort());
  for (const [name, answer] of Object.entries(answers)) compare(name, entry, answer, tensors.get(name).data);
}

/** The last steps of the output, where only they are stored. */
function tail(entry: any, output: TensorLike): ArrayLike<number> {
  const { from, to } = entry.tail;
  const [d0, d1] = output.dims as [number, number, number];
  const width = output.dims.at(-1)!;
  const unbatched = output.dims.length === 2;
  const rows = [];
  if (entry.args.batch_first && !unbatched) {
    for (let b = 0; b < d0; b++) rows.push(...output.data.subarray((b * d1 + from) * width, (b * d1 + to) * width));
    return rows;
  }
  const step = unbatched ? width : d1 * width;
  return output.data.subarray(from * step, to * step);
}

function runLSTM(entry: any, tensors: Tensors): void {
  const { inputSize, hiddenSize, ...options } = camelCase(entry.args);
  const lstm = new LSTM(inputSize, hiddenSize, options);
  const weights = stateDict(entry, tensors) as ReadonlyMap<string, any>;
  lstm.loadStateDict(weights, entry.state_prefix);
  const inferred = LSTM.fromStateDict(weights, {
    prefix: entry.state_prefix,
    batchFirst: options.batchFirst,
    dropout: options.dropout,
  });
  const same = [
    'inputSize',
    'hiddenSize',
    'numLayers',
    'bias',
    'batchFirst',
    'dropout',
    'bidirectional',
    'projSize',
  ] as const;
  for (const option of same) expect(inferred[option], option).toBe(lstm[option]);

  const state = entry.initial_state ? { h0: tensors.get('h_0'), c0: tensors.get('c_0') } : undefined;
  const input: TensorLike = tensors.get('input');
  if (entry.packed) {
    const { enforce_sorted, batch_first, padding_value, total_length } = entry.packed;
    const lengths: BigInt64Array = tensors.get('lengths').data;
    const packed = packPaddedSequence(input, lengths, { batchFirst: batch_first, enforceSorted: enforce_sorted });
    expect(packed.data.dims).toEqual(tensors.get('packed_data').dims);
    expect(packed.data.data).toEqual(tensors.get('packed_data').data);
    expect(packed.batchSizes.map(BigInt)).toEqual([...tensors.get('batch_sizes').data]);
    for (const [name, indices] of [
      ['sorted_indices', packed.sortedIndices],
      ['unsorted_indices', packed.unsortedIndices],
    ] as const) {
      if (enforce_sorted) expect(indices).toBeNull();
      else expect(indices!.map(BigInt)).toEqual([...tensors.get(name).data]);
    }
    const { output, hn, cn } = lstm.forward(packed, state);
    const padded = padPackedSequence(output, {
      batchFirst: batch_first,
      paddingValue: padding_value,
      ...(total_length === null ? {} : { totalLength: total_length }),
    });
    expect(padded.lengths.map(BigInt)).toEqual([...lengths]);
    compareAll(entry, tensors, {
      output: padded.output.data,
      packed_output: output.data.data,
      h_n: hn.data,
      c_n: cn.data,
    });
    expect(hn.dims).toEqual(tensors.get('h_n').dims);
    expect(inferred.forward(packed, state).output.data.data).toEqual(output.data.data);
  } else {
    const { output, hn, cn } = lstm.forward(input, state);
    compareAll(entry, tensors, {
      ...(entry.tail ? { output_tail: tail(entry, output) } : { output: output.data }),
      h_n: hn.data,
      c_n: cn.data,
    });
    if (!entry.tail) expect(output.dims).toEqual(tensors.get('output').dims);
    expect(hn.dims).toEqual(tensors.get('h_n').dims);
    expect(cn.dims).toEqual(tensors.get('c_n').dims);
    expect(inferred.forward(input, state).output.data).toEqual(output.data);
  }
  lstm.dispose();
  inferred.dispose();
}

function runCell(entry: any, tensors: Tensors): void {
  const { inputSize, hiddenSize, ...options } = camelCase(entry.args);
  const cell = new LSTMCell(inputSize, hiddenSize, options);
  cell.loadStateDict(stateDict(entry, tensors), entry.state_prefix);
  const input: TensorLike = tensors.get('input');
  const [T] = input.dims as [number];
  const stepDims = input.dims.slice(1);
  const width = stepDims.reduce((a, b) => a * b, 1);
  let state = entry.initial_state ? { h0: tensors.get('hx'), c0: tensors.get('cx') } : undefined;
  const output: number[] = [];
  const cSteps: number[] = [];
  for (let t = 0; t < T; t++) {
    const { h1, c1 } = cell.forward({ data: input.data.subarray(t * width, (t + 1) * width), dims: stepDims }, state);
    output.push(...h1.data);
    cSteps.push(...c1.data);
    state = { h0: h1, c0: c1 };
  }
  const last = { h_n: state!.h0.data, c_n: state!.c0.data };
  compareAll(entry, tensors, { output, ...last, ...('c_steps' in entry.errors ? { c_steps: cSteps } : {}) });
  cell.dispose();
}

describe('answers', () => {
  test('all cases are there', () => expect(index.cases).toHaveLength(119));
  test.each<any>(index.cases)('$name: $exercises', async (entry) => {
    const tensors: Tensors = parseSafetensors(await readFixture(`torch/${entry.file}`));
    if (entry.module === 'LSTM') runLSTM(entry, tensors);
    else runCell(entry, tensors);
  });
});

describe('refusals', () => {
  function use({
    module,
    args,
    shapes,
  }: any): { output?: TensorLike; hn?: TensorLike; cn?: TensorLike } | PackedSequence | undefined {
    if (module === undefined) {
      const { lengths, ...options } = camelCase(args);
      return packPaddedSequence(zeros(...shapes.input), lengths, options);
    }
    const { inputSize, hiddenSize, ...options } = camelCase(args);
    const state = shapes.h_0 && { h0: zeros(...shapes.h_0), c0: zeros(...shapes.c_0) };
    if (module === 'LSTMCell') {
      const { h1, c1 } = new LSTMCell(inputSize, hiddenSize, options).forward(zeros(...shapes.input), state);
      return { hn: h1, cn: c1 };
    }
    const lstm = new LSTM(inputSize, hiddenSize, options);
    return shapes.input && lstm.forward(zeros(...shapes.input), state);
  }

  test('all rows are there', () => expect(refusals.cases).toHaveLength(40));
  test.each<any>(refusals.cases)('$what', (row) => {
    // PyTorch reads past the input there; its note says to refuse it
    const refused = !row.accepted || row.note;
    if (refused) {
      expect(() => use(row)).toThrow(/^(LSTM|LSTMCell|packPaddedSequence): "\w+[\w.[\]]*" expected .+, got /);
      return;
    }
    let result: any;
    expect(() => {
      result = use(row);
    }).not.toThrow();
    if (row.result_shapes) {
      const shapes = [result.output, result.hn, result.cn].filter(Boolean).map((tensor) => tensor.dims);
      expect(shapes).toEqual(row.result_shapes);
    }
    if (row.batch_sizes) expect(result.batchSizes).toEqual(row.batch_sizes);
  });
});

test('the same bits as in Node', () => {
  expect(digest()).toBe(inject('nodeDigest'));
});
