import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { bytesUsed, LSTM } from '../src/index.ts';
import { allocate, endScratch, floats, integers, release, scratch } from '../src/memory/arena.ts';
import { wasm } from '../src/memory/wasm.ts';
import { uniforms } from './support/random.ts';

// Linear memory as one arena: blocks lie apart, are aligned, and become one free block again.

const MIB = 1 << 20;
const memoryBytes = () => wasm().memory.buffer.byteLength;

/** The free bytes between the constants of the kernels and the end of memory, if nothing at all is allocated. */
const wholeArena = () => memoryBytes() - Math.ceil(wasm().HEAP_BASE.value / 64) * 64;

/** Gives scratch back, which is kept between calls otherwise. */
function dropScratch(): void {
  scratch(9 * MIB);
  endScratch();
}

interface Block {
  start: number;
  bytes: number;
  mark: number;
}

/** A block whose words all hold `mark`. */
function marked(bytes: number, mark: number): Block {
  const start = allocate(bytes);
  integers().fill(mark, start / 4, start / 4 + Math.ceil(bytes / 4));
  return { start, bytes, mark };
}

function expectIntact({ start, bytes, mark }: Block): void {
  const words = integers().subarray(start / 4, start / 4 + Math.ceil(bytes / 4));
  if (!words.every((word) => word === mark)) expect([...words], `block ${mark} at ${start}`).toEqual([mark]);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('allocate and release', () => {
  test('blocks lie apart, aligned, inside memory; all released, they are one block', () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 100_000 }));
    const step = fc.record({ size, frees: fc.boolean(), which: fc.nat() });
    const property = fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (steps) => {
      dropScratch();
      expect(bytesUsed()).toBe(0);
      const blocks: Block[] = [];
      let mark = 1;
      for (const { size, frees, which } of steps) {
        if (frees && blocks.length) {
          const [block] = blocks.splice(which % blocks.length, 1);
          expectIntact(block!);
          release(block!.start);
        } else {
          const block = marked(size, mark++);
          expect(block.start % 64).toBe(0);
          expect(block.start).toBeGreaterThanOrEqual(wasm().HEAP_BASE.value);
          expect(block.start + size).toBeLessThanOrEqual(memoryBytes());
          blocks.push(block);
        }
        const sorted = blocks.toSorted((a, b) => a.start - b.start);
        sorted.forEach((block, i) => {
          if (i) expect(block.start).toBeGreaterThanOrEqual(sorted[i - 1]!.start + Math.max(1, sorted[i - 1]!.bytes));
        });
        expect(bytesUsed()).toBe(blocks.reduce((sum, { bytes }) => sum + Math.ceil(Math.max(1, bytes) / 64) * 64, 0));
      }
      blocks.forEach(expectIntact);
      for (const { start } of blocks) release(start);
      expect(bytesUsed()).toBe(0);
      const before = memoryBytes();
      release(allocate(wholeArena()));
      expect(memoryBytes()).toBe(before);
    });
    fc.assert(property, { seed: 20250101, numRuns: 100 });
  });

  test('released memory is used again before memory grows', () => {
    const [a, b, c] = [allocate(1000), allocate(2000), allocate(3000)];
    release(b);
    expect(allocate(2000)).toBe(b);
    release(a);
    release(b);
    // a and b together, and the gap between them and c is exactly filled
    const joined = allocate(1024 + 2048);
    expect(joined).toBe(a);
    release(joined);
    const again = allocate(1);
    expect(again).toBe(a);
    const before = memoryBytes();
    for (let k = 0; k < 1000; k++) release(allocate(100_000));
    expect(memoryBytes() - before).toBeLessThanOrEqual(2 * 65536);
    release(again);
    release(c);
    expect(bytesUsed()).toBe(0);
  });

  test('any order of release joins what touches', () => {
    for (const order of [
      [0, 1, 2, 3, 4],
      [4, 3, 2, 1, 0],
      [0, 2, 4, 1, 3],
      [1, 3, 0, 4, 2],
      [2, 0, 4, 3, 1],
    ]) {
      const blocks = order.map(() => allocate(500));
      for (const k of order) release(blocks[k]!);
      const before = memoryBytes();
      release(allocate(wholeArena()));
      expect(memoryBytes(), `${order}`).toBe(before);
    }
  });

  test('views of memory are made anew after it has grown', () => {
    const block = marked(100, 7);
    const [f, w] = [floats(), integers()];
    expect(floats()).toBe(f);
    expect(integers()).toBe(w);
    const big = allocate(wholeArena());
    expect([f.length, w.length]).toEqual([0, 0]);
    expect(floats().buffer).toBe(wasm().memory.buffer);
    expect(integers().buffer).toBe(wasm().memory.buffer);
    expectIntact(block);
    release(block.start);
    release(big);
  });

  test.each([2 ** 32, 2 ** 33, 2 ** 40, 2 ** 53, 1e300, Infinity])(
    '%d bytes are a RangeError that changes nothing',
    (bytes) => {
      const block = marked(100, 9);
      const before = [memoryBytes(), bytesUsed()];
      expect(() => allocate(bytes)).toThrow(RangeError);
      expect(() => allocate(bytes)).toThrow(/^lstm-wasm: .*memory.*4 GiB/);
      expect(() => scratch(bytes)).toThrow(RangeError);
      expect([memoryBytes(), bytesUsed()]).toEqual(before);
      expectIntact(block);
      release(block.start);
      release(allocate(wholeArena()));
      expect(memoryBytes()).toBe(before[0]);
    },
  );

  test('memory that does not grow is a RangeError that changes nothing', () => {
    const grow = vi.spyOn(WebAssembly.Memory.prototype, 'grow').mockImplementation(() => {
      throw new RangeError('WebAssembly.Memory.grow(): Maximum memory size exceeded');
    });
    const before = [memoryBytes(), bytesUsed()];
    for (let k = 0; k < 3; k++) expect(() => allocate(memoryBytes())).toThrow(/^lstm-wasm: .*memory.*cannot grow/);
    expect(grow).toHaveBeenCalled();
    expect([memoryBytes(), bytesUsed()]).toEqual(before);
    grow.mockRestore();
    const block = marked(memoryBytes(), 5);
    expectIntact(block);
    release(block.start);
    release(allocate(wholeArena()));
    expect(bytesUsed()).toBe(0);
  });
});

describe('scratch', () => {
  test('is one block that is not counted, kept up to 8 MiB', () => {
    dropScratch();
    const start = scratch(1000);
    expect(start % 64).toBe(0);
    expect(bytesUsed()).toBe(0);
    endScratch();
    expect(scratch(500)).toBe(start);
    expect(scratch(1000)).toBe(start);
    const block = marked(100, 3);
    const larger = scratch(8 * MIB);
    integers().fill(-1, larger / 4, larger / 4 + 2 * MIB);
    expectIntact(block);
    endScratch();
    expect(scratch(1)).toBe(larger);
    scratch(9 * MIB);
    expectIntact(block);
    endScratch();
    release(block.start);
    expect(bytesUsed()).toBe(0);
    const before = memoryBytes();
    release(allocate(wholeArena()));
    expect(memoryBytes()).toBe(before);
  });

  test('that cannot be had leaves the arena whole', () => {
    const start = scratch(1000);
    expect(() => scratch(2 ** 33)).toThrow(RangeError);
    expect(bytesUsed()).toBe(0);
    expect(scratch(1000)).toBe(start);
    dropScratch();
    release(allocate(wholeArena()));
    expect(bytesUsed()).toBe(0);
  });
});

test('above 2 GiB pointers are not negative: the same bits', () => {
  const run = () => {
    const lstm = new LSTM(3, 5, { numLayers: 2, bidirectional: true, projSize: 2, seed: 1 });
    const input = { data: Float32Array.from({ length: 66 }, (_, i) => Math.fround(i / 33 - 1)), dims: [11, 2, 3] };
    const { output, hn, cn } = lstm.forward(input);
    const plain = new LSTM(3, 5, { numLayers: 3, seed: 1 });
    const stream = plain.stream();
    stream.input.set([1, 2, 3]);
    stream.step();
    const streamed = new Float32Array(110);
    stream.run(input.data, streamed);
    const result = [output, hn, cn].flatMap(({ data }) => [...data]);
    const all = [
      ...result,
      ...stream.output,
      ...streamed,
      ...[...lstm.stateDict().values()].flatMap(({ data }) => [...data]),
    ];
    for (const owner of [stream, plain, lstm]) owner.dispose();
    return all;
  };
  dropScratch();
  const wanted = run();
  dropScratch();
  const below = allocate(2 ** 31);
  // whatever is still free below, so that all else lies above
  const filler: number[] = [];
  for (let bytes = MIB; bytes >= 64; bytes /= 2) {
    for (let start = allocate(bytes); ; start = allocate(bytes)) {
      filler.push(start);
      if (start > 2 ** 31) break;
    }
  }
  expect(filler.at(-1)).toBeGreaterThan(2 ** 31);
  expect(run()).toEqual(wanted);
  for (const start of [below, ...filler]) release(start);
  expect(bytesUsed()).toBe(0);
});

test('giving back and taking do not depend on how many holes there are', () => {
  // every second block of `count` is a hole; then blocks come and go among them
  const cost = (count: number) => {
    const blocks = Array.from({ length: count }, () => allocate(64));
    for (let i = 0; i < count; i += 2) release(blocks[i]!);
    const random = uniforms(1);
    const own = Array.from({ length: 1000 }, () => allocate(64 + 64 * Math.floor(4 * random())));
    const looks = vi.spyOn(Math, 'clz32');
    for (let k = 0; k < 5000; k++) {
      const i = Math.floor(own.length * random());
      release(own[i]!);
      own[i] = allocate(64 + 64 * Math.floor(4 * random()));
    }
    const calls = looks.mock.calls.length;
    looks.mockRestore();
    for (const start of own) release(start);
    for (let i = 1; i < count; i += 2) release(blocks[i]!);
    expect(bytesUsed()).toBe(0);
    return calls;
  };
  dropScratch();
  const few = cost(2000);
  expect(few).toBeGreaterThan(0);
  expect(cost(40_000)).toBeLessThan(1.5 * few);
});
