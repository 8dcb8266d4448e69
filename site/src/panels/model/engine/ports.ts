// Which input of a model takes the sequence, along which axis, and what the others get.

export interface Port {
  readonly name: string;
  readonly type: string;
  /** A number is a size, a string the name of one, null any; undefined if the file does not say. */
  readonly dims: readonly (number | string | null)[] | undefined;
}

/** How a sequence goes into a model. */
export interface Plan {
  readonly main: Port;
  /** The axis of steps in its dims; -1 if there is none, and each call takes one step. */
  readonly time: number;
  /** The size of each axis for a number of steps. */
  sizes(steps: number): number[];
  /** Numbers a step. */
  readonly width: number;
  readonly isIds: boolean;
  readonly isSamples: boolean;
  /** The steps that the model takes and no others. */
  readonly fixed: number | undefined;
  /** Inputs that get the output of the call before, by name. */
  readonly states: ReadonlyMap<string, string>;
  /** Whether each call is a piece of the sequence, with states in between: samples of a piece, and those of the piece before it. */
  readonly pieces: { readonly length: number; readonly before: number } | undefined;
}

const BATCH = /batch|^n$|^b$|^bs$/i;
const TIME = /seq|time|len|step|frame|^t$|^s$/i;
const STATE = /state|hidden|cell|^[hc]_?(0|in|n|prev)?$|initial_[hc]|^[hc]\d*$/i;

const isFree = (size: number | string | null | undefined) => typeof size !== 'number';

/** Silero's models of voice activity: 512 samples a call, after the last 64 of the call before since version 5. */
const SILERO = { length: 512, before: 64 };

/** @param guess numbers a step where the file does not say @throws Error if no input takes a sequence */
export function planPorts(inputs: readonly Port[], outputs: readonly Port[], guess: number | undefined): Plan {
  const states = pairStates(inputs, outputs);
  const candidates = inputs.filter(({ name, dims }) => !states.has(name) && !STATE.test(name) && dims?.length !== 0);
  const main = candidates.find(({ type }) => /float/.test(type)) ?? candidates[0] ?? inputs[0];
  if (!main) throw new Error('It has no input.');
  const isIds = !/float/.test(main.type);
  const dims = main.dims ?? (isIds ? [null, null] : [null, null, null]);
  const isSilero = states.size > 0 && inputs.some(({ name }) => name === 'sr') && dims.length === 2;
  const isSamples = isSilero || (!isIds && dims.length === 2 && isFree(dims[1]) && guess === undefined);
  const time = isSamples ? 1 : timeAxis(dims, isIds);
  const width = isIds || isSamples ? 1 : widthOf(dims, time, guess);
  const size = time >= 0 ? dims[time] : undefined;
  const fixedSteps = typeof size === 'number' ? size : undefined;
  const isPiece = states.size > 0 && (isSilero || time < 0 || fixedSteps !== undefined);
  const length = isSilero ? SILERO.length : (fixedSteps ?? 1);
  const before = isSilero && states.size === 1 ? SILERO.before : 0;
  return {
    ...{ main, time, width, isIds, isSamples, states },
    fixed: isPiece ? undefined : (fixedSteps ?? (time < 0 ? 1 : undefined)),
    pieces: isPiece ? { length, before } : undefined,
    sizes: (steps) => {
      const left = { width };
      return dims.map((each, axis) => {
        if (axis === time) return steps;
        if (typeof each === 'number') return each;
        // a size that the file leaves open is that of the numbers a step, if it is the last, else one sample
        return axis === dims.length - 1 && time !== axis && !BATCH.test(String(each)) ? left.width : 1;
      });
    },
  };
}

/** Which axis is of steps. */
export function timeAxis(dims: NonNullable<Port['dims']>, isIds: boolean): number {
  const rank = dims.length;
  if (rank === 1) return isIds ? 0 : -1;
  const named = dims.findIndex((size) => typeof size === 'string' && TIME.test(size) && !BATCH.test(size));
  if (named >= 0) return named;
  if (rank === 2 && isIds) return isFree(dims[1]) || !isFree(dims[0]) || BATCH.test(String(dims[0])) ? 1 : 0;
  if (rank === 2) return dims[0] === 1 ? -1 : 0;
  const axes = rank === 3 ? [0, 1] : [rank - 1, rank - 2, 1];
  const open = axes.filter((axis) => isFree(dims[axis]) && !BATCH.test(String(dims[axis])));
  // Keras and exports with batch_first have samples first
  if (open.length) return rank === 3 && open.length === 2 ? 1 : open[0]!;
  return rank === 3
    ? isFree(dims[0])
      ? 1
      : isFree(dims[1])
        ? 0
        : dims[0] === 1
          ? 1
          : dims[1] === 1
            ? 0
            : 1
    : axes[0]!;
}

function widthOf(dims: NonNullable<Port['dims']>, time: number, guess: number | undefined): number {
  const last = dims.at(-1);
  const rest = dims.filter((size, axis) => axis !== time && typeof size === 'number') as number[];
  if (dims.length - 1 !== time && isFree(last)) return guess ?? 1;
  return rest.reduce((product, size) => product * size, 1);
}

/** Inputs that an output is the next value of: `state` and `stateN`, `h0` and `hn`, `h_in` and `h_out`. */
export function pairStates(inputs: readonly Port[], outputs: readonly Port[]): Map<string, string> {
  const pairs = new Map<string, string>();
  const taken = new Set<string>();
  for (const { name, dims } of inputs) {
    if (!dims || dims.length < 2) continue;
    const stem = stemOf(name);
    const fits = (output: Port) =>
      !taken.has(output.name) && output.name !== name && stemOf(output.name) === stem && canBe(dims, output.dims);
    const output = outputs.find(fits);
    // an input named like an output of the same stem by accident is no state: "input" and "output" have other stems
    if (!output || (!STATE.test(name) && !/(_in|0|_prev|^prev_)/i.test(name))) continue;
    pairs.set(name, output.name);
    taken.add(output.name);
  }
  if (pairs.size > 0) return pairs;
  // without names that tell, an input after the first whose sizes are those of one output alone
  for (const { name, dims } of inputs.slice(1)) {
    if (!dims || dims.length < 2 || dims.some(isFree) || isSame(dims, inputs[0]!.dims)) continue;
    const same = outputs.filter((output) => isSame(dims, output.dims));
    if (same.length === 1 && ![...pairs.values()].includes(same[0]!.name)) pairs.set(name, same[0]!.name);
  }
  return pairs;
}

function isSame(a: NonNullable<Port['dims']>, b: Port['dims']): boolean {
  return b?.length === a.length && a.every((size, axis) => size === b[axis]);
}

/** What is left of a state's name without the words for before and after. */
function stemOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/(^|_)(in|out|prev|next|new|initial|last|input|output)(?=_|$)/g, '')
    .replace(/(0|_?n)$/, '')
    .replace(/^_|_$/g, '');
}

function canBe(a: NonNullable<Port['dims']>, b: Port['dims']): boolean {
  return !b || (a.length === b.length && a.every((size, axis) => isFree(size) || isFree(b[axis]) || size === b[axis]));
}

/** Numbers of such an input, at most. */
const MOST_OTHERS = 2 ** 24;

/** A value for an input that takes no sequence: the rate of sound, a length, or zeros. */
export function otherValue(
  { name, type, dims }: Port,
  steps: number,
): { data: Float32Array | BigInt64Array | Int32Array | Uint8Array | Int8Array; dims: number[] } {
  const sizes = (dims ?? []).map((size) => (typeof size === 'number' ? size : TIME.test(String(size)) ? steps : 1));
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count > MOST_OTHERS)
    throw new Error(
      `Its input ${JSON.stringify(name)} takes ${count.toLocaleString('en-US')} numbers, more than this page feeds.`,
    );
  const value = /^sr$|rate/i.test(name) ? 16_000 : /len/i.test(name) ? steps : /mask/i.test(name) ? 1 : 0;
  if (type === 'int64') return { data: new BigInt64Array(count).fill(BigInt(value)), dims: sizes };
  if (type === 'int32') return { data: new Int32Array(count).fill(value), dims: sizes };
  if (type === 'int8') return { data: new Int8Array(count).fill(Math.min(value, 127)), dims: sizes };
  if (type === 'uint8' || type === 'bool')
    return { data: new Uint8Array(count).fill(Math.min(value, type === 'bool' ? 1 : 255)), dims: sizes };
  return { data: new Float32Array(count).fill(/mask/i.test(name) ? 1 : 0), dims: sizes };
}
