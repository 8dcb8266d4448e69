// The benchmark itself, beside the page: answers are compared before anything is timed.
import { errorOf } from '../../../../benchmarks/oracle.mjs';
import { inputOf, weightsOf } from '../../../../benchmarks/shapes.mjs';
import { serve } from '../../kit/worker.ts';
import { open, type Player } from './contestants.ts';
import { loadOrt, type Ort } from './ort.ts';
import type { Name, Times } from './result.ts';
import { type FastShape, SHAPES } from './shapes.ts';
import { inTurns, sampleMs } from './timing.ts';

/** Largest differences from plain JavaScript, whose sums have 64 bits: those of benchmarks/contestants.mjs. */
const EXACT = 2e-5;
const EIGHT_BIT = 5e-2;

/** Rows that all are warmed at, and milliseconds of a turn. */
const WARM = [3, 8];
const WARM_MS = 20;

/** Plain JavaScript, whose answer is the measure of the others, is the first. */
const ORDER: readonly Name[] = ['plain', 'ours', 'ours int8', 'ort-web'];

let ort: Ort | undefined;
let sample = 0;

const functions = {
  /** Milliseconds that one measurement lasts with this browser's clock. */
  clock(): number {
    sample = sampleMs(() => performance.now());
    return sample;
  },

  /** Fetches onnxruntime-web, and says its version. */
  async peer(base: string): Promise<string> {
    ort = await loadOrt(base);
    return ort.env.versions.web ?? '';
  },

  /**
   * Lets all contestants work for a while: engines compile in the background what is called often, onnxruntime-web's megabytes for a second
   * and more, and until then it would look slower than it is.
   */
  async warm(ms: number): Promise<void> {
    for (const index of WARM) {
      const { calls, end } = await prepare(index);
      const until = performance.now() + ms / WARM.length;
      while (performance.now() < until) {
        for (const call of calls.values()) await forMs(call, WARM_MS);
        await new Promise((resolve) => setTimeout(resolve));
      }
      end();
    }
  },

  /** Compares and times all contestants at a shape. @param ms that it may take, from now on */
  async measure(index: number, ms: number): Promise<Times> {
    const start = performance.now();
    const { calls, times, end } = await prepare(index);
    const left = Math.max(0.3 * ms, ms - (performance.now() - start));
    for (const [name, time] of await inTurns(calls, { ms: left, sample })) times[name] = time;
    end();
    return times;
  },
};

export type Bench = typeof functions;
serve(functions);

/** Opens all contestants at a shape and compares their answers: those that are right can be timed. */
async function prepare(index: number) {
  const shape = SHAPES[index]!;
  const full = { ...shape, from: '' };
  const weights = weightsOf(full);
  const input: Float32Array = inputOf(full);
  const names = ORDER.filter((name) => name !== 'ort-web' || ort);
  const players = new Map<Name, Player>();
  const calls = new Map<Name, () => unknown>();
  const times: Times = {};
  let right: Float32Array | undefined;
  for (const name of names) {
    try {
      const player = await open(name, shape, weights, ort);
      players.set(name, player);
      const given = await answer(player, shape, input);
      right ??= given;
      if (errorOf(given, right) <= (name === 'ours int8' ? EIGHT_BIT : EXACT)) {
        calls.set(name, callOf(player, shape, input));
      } else {
        times[name] = 'wrong';
      }
    } catch (error) {
      // the peer may lack memory where ours does not: its row stays empty
      if (name !== 'ort-web') throw error;
    }
  }
  const end = () => {
    for (const player of players.values()) player.end?.();
  };
  return { calls, times, end };
}

async function forMs(call: () => unknown, ms: number): Promise<void> {
  const until = performance.now() + ms;
  do await call();
  while (performance.now() < until);
}

const framesOf = ({ I, T }: FastShape, input: Float32Array): Float32Array[] =>
  Array.from({ length: T }, (_, t) => input.subarray(t * I, (t + 1) * I));

/** All outputs of a sequence, or of a stream's first steps. */
async function answer(player: Player, shape: FastShape, input: Float32Array): Promise<Float32Array> {
  if (!shape.stream) return Float32Array.from(await player.forward(input));
  const outputs = new Float32Array(shape.T * shape.H);
  let t = 0;
  for (const frame of framesOf(shape, input)) outputs.set(await player.step(frame), shape.H * t++);
  return outputs;
}

/** What is timed: a step, whose inputs come round and round, or a sequence. */
function callOf(player: Player, shape: FastShape, input: Float32Array): () => unknown {
  if (!shape.stream) return () => player.forward(input);
  const frames = framesOf(shape, input);
  let t = 0;
  return () => {
    t = t + 1 < frames.length ? t + 1 : 0;
    return player.step(frames[t]!);
  };
}
