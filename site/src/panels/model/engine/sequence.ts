import { readCsv } from '../../../../../src/cli/values/csv.ts';
import { parseValues } from '../../../../../src/cli/values/parse.ts';
import type { Given } from '../types.ts';
import { bandsOf, HOP } from './bands.ts';

// What is fed to a model, of a recording, random numbers, numbers that were typed or a file.

/** What a model takes at each step. */
export interface Need {
  /** Samples of sound, rows of numbers, or numbers of words (ids). */
  readonly kind: 'samples' | 'rows' | 'ids';
  /** Numbers a step; 1 for samples and ids. */
  readonly width: number;
  /** Ids are below it. */
  readonly words?: number;
  /** The number of steps, if the model takes no other. */
  readonly fixed?: number | undefined;
  /** The most steps whose gates fit into memory. */
  readonly most: number;
}

/** A sequence that fits a model. */
export interface Sequence {
  /** [steps][width] */
  readonly data: Float32Array;
  readonly steps: number;
  readonly width: number;
  /** The seconds of a step, where it is sound. */
  readonly every: number | undefined;
  readonly fed: string;
  readonly sound?: { readonly samples: Float32Array; readonly rate: number };
  readonly notes: readonly string[];
}

/** Steps of random numbers. */
const RANDOM = 200;
/** Seconds of noise. */
const NOISE = 4;
const NOISE_RATE = 16_000;

/** @throws Error with a sentence if it does not fit */
export function makeSequence(given: Given, need: Need): Sequence {
  switch (given.kind) {
    case 'random':
      return randomSequence(given.seed, need);
    case 'recording':
    case 'sound':
      return soundSequence(given, need);
    case 'typed':
      return numbersSequence(readCsv(given.text.trim().replace(/^\[|\]$/g, '')), need, 'The numbers typed');
    case 'file': {
      const { values } = parseValues(given.bytes);
      if (values.size > 1) throw new Error(`${given.name} has ${values.size} inputs by name: give one array.`);
      return numbersSequence([...values.values()][0]!, need, given.name);
    }
  }
}

/** Numbers that are the same for a seed, evenly from 0 to 1: mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

function randomSequence(seed: number, need: Need): Sequence {
  const next = randomNumbers(seed);
  const { kind, width } = need;
  const isSound = kind === 'samples';
  const steps = need.fixed ?? Math.min(need.most, isSound ? NOISE * NOISE_RATE : RANDOM);
  checkSize(steps * width);
  const words = Math.max(2, need.words ?? 2);
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const make = kind === 'ids' ? () => Math.floor(next() * words) : isSound ? () => 0.2 * (2 * next() - 1) : normal;
  const data = Float32Array.from({ length: steps * width }, make);
  const fed = kind === 'ids' ? 'Random ids' : isSound ? 'Noise' : 'Random numbers';
  return {
    ...{ data, steps, width, fed, notes: [] },
    every: isSound ? 1 / NOISE_RATE : undefined,
    ...(isSound ? { sound: { samples: data, rate: NOISE_RATE } } : {}),
  };
}

function soundSequence(given: Extract<Given, { samples: unknown }>, need: Need): Sequence {
  const { samples, rate, name } = given;
  if (need.kind === 'ids') throw new Error('This model takes ids of words, not sound: type some, or take random ones.');
  if (need.kind === 'samples') {
    const cut = fit(samples, 1, need, 'samples');
    return {
      ...{ data: cut.data, steps: cut.steps, width: 1, every: 1 / rate, fed: name, notes: cut.notes },
      sound: { samples: cut.data, rate },
    };
  }
  const cut = fit(bandsOf(samples, rate, need.width), need.width, need, 'steps');
  const heard = samples.subarray(0, cut.steps * HOP);
  const how =
    need.width === 1
      ? `fed as its loudness, a number each ${Math.round((1000 * HOP) / rate)} ms`
      : `fed as ${need.width} bands of loudness, a step each ${Math.round((1000 * HOP) / rate)} ms`;
  return {
    ...{ data: cut.data, steps: cut.steps, width: need.width, every: HOP / rate, fed: name },
    sound: { samples: heard, rate },
    notes: [
      `${name}: ${how}. The model was trained on something else, so look at how it moves, not at what it says.`,
      ...cut.notes,
    ],
  };
}

interface Numbers {
  readonly data: ArrayLike<number> | BigInt64Array;
  readonly dims: readonly number[];
}

function numbersSequence({ data, dims }: Numbers, need: Need, name: string): Sequence {
  const { width } = need;
  const numbers = Float32Array.from(data as ArrayLike<number>, Number);
  const last = dims.at(-1) ?? 1;
  const isOneLine = dims.length === 1 || (dims.length === 2 && dims[0] === 1);
  if (width > 1 && last !== width && !(isOneLine && numbers.length === width)) {
    throw new Error(`${name}: rows of ${last.toLocaleString('en-US')} numbers; this model takes ${width} a step.`);
  }
  if (numbers.length === 0) throw new Error(`${name}: there are no numbers.`);
  if (need.kind === 'ids') checkIds(numbers, need.words, name);
  const cut = fit(numbers, width, need, 'steps');
  return { data: cut.data, steps: cut.steps, width, every: undefined, fed: name, notes: cut.notes };
}

function checkIds(numbers: Float32Array, words: number | undefined, name: string): void {
  const bad = numbers.find((id) => !Number.isInteger(id) || id < 0 || id >= (words ?? Number.POSITIVE_INFINITY));
  if (bad !== undefined) {
    throw new Error(`${name}: ${bad} is no id; this model takes integers from 0${words ? ` to ${words - 1}` : ''}.`);
  }
}

/** Numbers that are fed, at most: a file may ask for any. */
const MOST_NUMBERS = 2 ** 26;

function checkSize(numbers: number): void {
  if (numbers <= MOST_NUMBERS) return;
  throw new Error(
    `The model takes ${numbers.toLocaleString('en-US')} numbers at once; this page feeds up to ${MOST_NUMBERS.toLocaleString('en-US')}.`,
  );
}

/** Brings a sequence to the steps that a model takes. */
function fit(
  numbers: Float32Array,
  width: number,
  { fixed, most }: Need,
  what: string,
): { data: Float32Array; steps: number; notes: string[] } {
  const given = Math.floor(numbers.length / width);
  const steps = fixed ?? Math.min(given, most);
  const text = (count: number) => count.toLocaleString('en-US');
  checkSize(steps * width);
  if (given === steps) return { data: numbers, steps, notes: [] };
  const data = new Float32Array(steps * width);
  data.set(numbers.subarray(0, steps * width));
  if (given < steps) {
    return {
      data,
      steps,
      notes: [`The model takes ${text(steps)} ${what}, no fewer: zeros follow the ${text(given)} given.`],
    };
  }
  const why = fixed
    ? `The model takes ${text(fixed)} ${what}, no more`
    : 'The gates of more would not fit into this tab';
  return {
    data,
    steps,
    notes: [
      `${steps === 1 ? 'One' : `The first ${text(steps)}`} of ${text(given)} ${what} is run. ${why}.`.replace(
        /^(The .*) is run/,
        '$1 are run',
      ),
    ],
  };
}
