import { allocate, release } from '../../src/memory/arena.ts';
import { kernels, PANEL } from './kernels.ts';
import { same } from './sweep.ts';

// Runs a kernel on bare memory several times: with three fillings of all memory around and between the rows, which must
// survive and must not count, from three alignments, and with each buffer in turn at the very end of memory, where reading
// one float too many is a trap.

const FILLINGS = [NaN, 1e30, 0];
/** Floats between buffers: more than any kernel moves at once */
const CANARIES = 2 * PANEL;

/** undefined: padding that a kernel may read but that must not count; the filling stays there */
export type Cell = number | undefined;

/** Rows of `width` floats, `stride` floats from one to the next. */
export interface Buffer {
  /** in: stays as it is; out: the result, perhaps from values it begins with; scratch: anything may happen to it */
  readonly role: 'in' | 'out' | 'scratch';
  readonly rows: number;
  readonly width: number;
  readonly stride: number;
  /** What is there before the call, row by row; left out: the filling */
  readonly values?: readonly Cell[];
  /** Integers in place of values, given where the buffers lie */
  readonly words?: (at: Readonly<Record<string, number>>) => readonly number[];
}

type Buffers<N extends string> = Readonly<Record<N, Buffer>>;
type Call<N extends string> = (at: Readonly<Record<N, number>>) => void;
type Results<N extends string> = Readonly<Record<N, Float32Array>>;

export function buffer(
  role: Buffer['role'],
  rows: number,
  width: number,
  values?: readonly Cell[],
  padding = 0,
): Buffer {
  return { role, rows, width, stride: width + padding, ...(values && { values }) };
}

const extent = ({ rows, width, stride }: Buffer) => (rows ? (rows - 1) * stride + width : 0);

let edge = { start: 0, end: 0 };

/** The start of a block of a megabyte or more that ends where memory ends. */
function lastBlock(): number {
  const { memory } = kernels;
  if (edge.end !== memory.buffer.byteLength) {
    const outgrown = edge;
    // as much as all memory until now: only what grows can hold it, and only the same place can hold it again
    const start = allocate(Math.max(2 ** 20, memory.buffer.byteLength));
    release(start);
    edge = { start: allocate(memory.buffer.byteLength - start), end: memory.buffer.byteLength };
    if (edge.start !== start) throw new Error('the arena has not given the last block again');
    if (outgrown.end) release(outgrown.start);
  }
  return edge.start;
}

/** The out buffers after `call`, the same whatever surrounds the buffers and wherever they lie. */
export function run<N extends string>(buffers: Buffers<N>, call: Call<N>): Results<N> {
  const [result, ...others] = FILLINGS.map((filling, skew) => runBetweenCanaries(buffers, call, filling, skew));
  for (const last of names(buffers)) others.push(runAtTheEnd(buffers, call, last));
  for (const other of others) for (const name of names(buffers)) same(other[name], result![name], name);
  return result!;
}

function names<N extends string>(buffers: Buffers<N>): N[] {
  return Object.keys(buffers) as N[];
}

/** `skew`: floats from a 64-byte boundary to each buffer whose neighbours are whole panels */
function runBetweenCanaries<N extends string>(buffers: Buffers<N>, call: Call<N>, filling: number, skew: number) {
  const at = {} as Record<N, number>;
  let size = skew + CANARIES;
  for (const name of names(buffers)) {
    at[name] = size;
    size += Math.ceil(extent(buffers[name]) / PANEL) * PANEL + CANARIES;
  }
  const block = allocate(4 * size);
  try {
    for (const name of names(buffers)) at[name] = block + 4 * at[name];
    const words = new Int32Array(kernels.memory.buffer, block, size);
    new Float32Array(kernels.memory.buffer, block, size).fill(filling);
    prepare(buffers, at);
    const expected = words.slice();
    call(at);
    for (const name of names(buffers)) {
      const { role, rows, width, stride } = buffers[name];
      if (role === 'in') continue;
      const start = (at[name] - block) / 4;
      for (let r = 0; r < rows; r++) {
        for (let i = start + r * stride, end = i + width; i < end; i++) expected[i] = words[i]!;
      }
    }
    const changed = expected.findIndex((word, i) => word !== words[i]);
    if (changed >= 0)
      throw new Error(`changed a float that is none of its own, at ${locate(buffers, at, block, changed)}`);
    return collect(buffers, at);
  } finally {
    release(block);
  }
}

function locate<N extends string>(buffers: Buffers<N>, at: Record<N, number>, block: number, index: number): string {
  return names(buffers)
    .map((name) => `${name}[${index - (at[name] - block) / 4}]`)
    .join(' = ');
}

function runAtTheEnd<N extends string>(buffers: Buffers<N>, call: Call<N>, last: N): Results<N> {
  const at = {} as Record<N, number>;
  let start = lastBlock();
  for (const name of names(buffers)) {
    at[name] = start;
    if (name !== last) start += 4 * extent(buffers[name]);
  }
  at[last] = edge.end - 4 * extent(buffers[last]);
  if (start > at[last]) throw new Error('the last block is too small for this case');
  prepare(buffers, at);
  call(at);
  return collect(buffers, at);
}

function prepare<N extends string>(buffers: Buffers<N>, at: Record<N, number>): void {
  for (const name of names(buffers)) {
    const { width, stride, values, words } = buffers[name];
    if (words) new Int32Array(kernels.memory.buffer, at[name], width).set(words(at));
    if (!values?.length) continue;
    const memory = new Float32Array(kernels.memory.buffer, at[name], extent(buffers[name]));
    for (let r = 0, i = 0; i < values.length; r++) {
      for (let c = 0; c < width; c++, i++) if (values[i] !== undefined) memory[r * stride + c] = values[i]!;
    }
  }
}

function collect<N extends string>(buffers: Buffers<N>, at: Record<N, number>): Results<N> {
  const results = {} as Record<N, Float32Array>;
  for (const name of names(buffers)) {
    const { role, rows, width, stride } = buffers[name];
    results[name] = new Float32Array(role === 'out' ? rows * width : 0);
    if (results[name].length === 0) continue;
    const memory = new Float32Array(kernels.memory.buffer, at[name], extent(buffers[name]));
    for (let r = 0; r < rows; r++) results[name].set(memory.subarray(r * stride, r * stride + width), r * width);
  }
  return results;
}
