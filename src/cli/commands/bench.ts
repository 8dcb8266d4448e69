import { hrtime } from 'node:process';
import type { LSTM, TensorLike } from '../../index.ts';
import { about, refusal } from '../errors.ts';
import type { AnyValue, FoundLstm, Model, Port } from '../model.ts';
import { bytesTaken, makeLstm } from '../models/lstm-runner.ts';
import { type OpenChoices, openModel } from '../open.ts';
import { drawTable } from '../table.ts';
import { formatBytes, formatCount, product, safeJson, threeDigits } from '../text.ts';
import { fitFeeds } from '../values/fit.ts';
import { readValues } from '../values/read.ts';

/** Milliseconds for which one thing is measured, after a third of that to warm up. */
const TIME = 300;
/** Nanoseconds between two readings of the clock, at the least. */
const BATCH = 200_000;

interface Result {
  readonly name: string;
  readonly weights: 'float32' | 'int8';
  readonly step: number | undefined;
  readonly sequence: number | undefined;
  readonly run: number | undefined;
  /** The largest difference from float32, and per unit of the largest output. */
  readonly error: number | undefined;
  readonly bytes: number;
}

export interface BenchOptions extends OpenChoices {
  readonly steps: number;
  readonly input?: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

export async function bench(path: string, options: BenchOptions): Promise<void> {
  const model = await openModel(path, options);
  if (model.problem) throw refusal(path, model.problem.message);
  const results: Result[] = [];
  await about(path, async () => {
    for (const lstm of model.lstms) if (lstm.weights) results.push(...measureLstm(lstm, options.steps));
    results.push(...(await measureModel(model, options)));
  });
  if (results.length === 0) {
    throw refusal(path, 'its inputs have open sizes: give one as --input FILE');
  }
  if (options.json) process.stdout.write(`${safeJson(results)}\n`);
  else process.stdout.write(`${describe(results, options.steps)}\n`);
}

function describe(results: readonly Result[], steps: number): string {
  const time = (value: number | undefined) => (value === undefined ? '-' : threeDigits(value));
  const hasRuns = results.some(({ run }) => run !== undefined);
  const columns = [
    { title: 'what' },
    { title: 'weights' },
    { title: 'a step, µs', right: true },
    { title: `${formatCount(steps)} steps, µs`, right: true },
    ...(hasRuns ? [{ title: 'a run, µs', right: true }] : []),
    { title: 'error', right: true },
    { title: 'memory', right: true },
  ];
  const rows = results.map(({ name, weights, step, sequence, run, error, bytes }) => [
    name,
    weights,
    time(step),
    time(sequence),
    ...(hasRuns ? [time(run)] : []),
    time(error),
    formatBytes(bytes),
  ]);
  const note = 'medians of one thread; error: the largest difference from float32 on random input';
  return `${drawTable(columns, rows, 0)}\n\n${note}`;
}

function measureLstm(found: FoundLstm, steps: number): Result[] {
  const list: Result[] = [];
  const isSmall = found.options.weights === 'int8';
  let exact: Float32Array | undefined;
  let x: TensorLike | undefined;
  for (const weights of isSmall ? (['int8'] as const) : (['float32', 'int8'] as const)) {
    const make = () => makeLstm(found, weights === 'int8' && !isSmall);
    const bytes = bytesTaken(make);
    const lstm = make();
    const { inputSize } = lstm;
    x ??= { data: noise(steps * inputSize), dims: [steps, inputSize] };
    const sequence = x;
    const { output, hn, cn } = lstm.forward(sequence);
    exact ??= output.data.slice();
    const out = { output, hn, cn };
    list.push({
      name: found.name,
      weights,
      step: lstm.bidirectional ? undefined : measureStep(lstm),
      sequence: measure(() => lstm.forward(sequence, null, { out })),
      run: undefined,
      error:
        weights === 'float32' || isSmall ? undefined : largestDifference(exact, lstm.forward(sequence).output.data),
      bytes,
    });
    lstm.dispose();
  }
  return list;
}

function measureStep(lstm: LSTM): number {
  const stream = lstm.stream();
  stream.input.set(noise(stream.input.length));
  const time = measure(() => stream.step());
  stream.dispose();
  return time;
}

/** Measures the model as a whole, if it has inputs of known sizes or an input is given. */
async function measureModel(model: Model, { input, set = [] }: BenchOptions): Promise<Result[]> {
  const isWhole = model.listings.every(({ title }) => title !== 'Tensors');
  if (!isWhole) return [];
  const list: Result[] = [];
  let exact: Float32Array | undefined;
  let feeds: ReadonlyMap<string, AnyValue> | undefined;
  for (const int8 of model.format === 'ONNX' ? [false, true] : [false]) {
    const knobs = Array.from({ length: Number(model.details.knobs ?? 0) }, () => 0.5);
    const runner = model.runner({ int8, knobs });
    try {
      const values = input === undefined ? undefined : [{ name: undefined, values: readValues(input) }];
      const sets = new Map(
        set.map((each): [string, number] => [
          each.slice(0, each.lastIndexOf('=')),
          Number(each.slice(each.lastIndexOf('=') + 1)),
        ]),
      );
      feeds ??= values ? fitFeeds(runner.inputs, values, sets) : randomFeeds(runner.inputs);
      if (!feeds) return [];
      const go = async () => {};
      const results = await runner.run(feeds, go);
      const data = Float32Array.from(results[runner.outputs[0]!]!.data as Float32Array, Number);
      exact ??= data;
      // run() is asynchronous for the sake of progress alone
      const fed = feeds;
      const time = await measureAsync(() => runner.run(fed, go));
      list.push({
        name: 'whole model',
        weights: int8 ? 'int8' : 'float32',
        step: undefined,
        sequence: undefined,
        run: time,
        error: int8 ? largestDifference(exact, data) : undefined,
        bytes: bytesTaken(() => model.runner({ int8, knobs })),
      });
    } finally {
      runner.dispose();
    }
  }
  return list;
}

/** Samples of a block of audio. */
const SAMPLES = 1024;

/** Random inputs where all sizes are known, but for the number of samples. */
function randomFeeds(ports: readonly Port[]): Map<string, AnyValue> | undefined {
  const feeds = new Map<string, AnyValue>();
  for (const { name, type, dims } of ports) {
    const sizes = dims?.map((size, axis) =>
      size === 'samples' ? SAMPLES : axis === 0 && typeof size !== 'number' ? 1 : size,
    );
    if (type !== 'float32' || !sizes?.every((size): size is number => typeof size === 'number')) return undefined;
    feeds.set(name, { data: noise(product(sizes)), dims: sizes });
  }
  return feeds;
}

function noise(count: number): Float32Array {
  return Float32Array.from({ length: count }, () => Math.random() * 2 - 1);
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

/** Gives the median microseconds of a call. */
function measure(call: () => unknown): number {
  const repeat = (count: number): number => {
    const start = hrtime.bigint();
    for (let i = 0; i < count; i++) call();
    return Number(hrtime.bigint() - start);
  };
  const end = hrtime.bigint() + BigInt(TIME * 333_333);
  let count = 1;
  while (hrtime.bigint() < end) if (repeat(count) < BATCH) count *= 2;
  const times: number[] = [];
  for (const stop = hrtime.bigint() + BigInt(TIME * 1_000_000); hrtime.bigint() < stop || times.length < 3; ) {
    times.push(repeat(count) / count / 1000);
  }
  return median(times);
}

async function measureAsync(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (const stop = Date.now() + TIME; Date.now() < stop || times.length < 5; ) {
    const start = hrtime.bigint();
    await call();
    times.push(Number(hrtime.bigint() - start) / 1000);
  }
  return median(times.slice(Math.floor(times.length / 4)));
}

function median(times: number[]): number {
  times.sort((a, b) => a - b);
  return times[times.length >> 1]!;
}
