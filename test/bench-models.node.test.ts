// The models of `npm run bench:models` that a script writes, in the idioms of tf2onnx and torch: loadOnnx() gives what float64 gives.
import { expect, test } from 'vitest';
import { MODELS } from '../benchmarks/models/list.mjs';
import { errorOf } from '../benchmarks/oracle.mjs';
import { loadOnnx, type OnnxFeed } from '../src/onnx.ts';

/** The long one takes seconds in float64. */
const LONGEST = 1000;

type Player = { step: (frame: Float32Array) => ArrayLike<number>[] };

function open(bytes: Uint8Array, { name, dims }: { name: string; dims: readonly number[] }, outputs: string[]): Player {
  const session = loadOnnx(bytes);
  return {
    step(data) {
      const results = session.run({ [name]: { data, dims } });
      return outputs.map((output) => results[output]!.data as Float32Array);
    },
  };
}

const written = MODELS.filter(({ name, parts: [part] }) => /, T \d+$/.test(name) && part.input.dims[1] <= LONGEST);
/** Compared with recorded answers of onnxruntime. */
const recorded = MODELS.filter(({ name }) => /^(CRNN|keywords|seq2seq|masked)/.test(name));

test('there are models of 32 to 128 units', () => {
  expect(written.length).toBeGreaterThanOrEqual(8);
});

test.each(written)('$name', async ({ parts: [part], rehearse, expected, bound }) => {
  const player = open(await part.onnx(), part.input, part.outputs);
  const { output } = await rehearse([player]);
  const right = await expected();
  expect(right.length).toBeGreaterThan(0);
  expect(errorOf(output, right)).toBeLessThanOrEqual(bound);
});

test('there are a CRNN, a keyword model, a pair with states and a masked tagger', () => {
  expect(recorded.map(({ parts }) => parts.length)).toEqual([1, 1, 2, 1]);
});

test.each(recorded)('$name', async ({ parts, rehearse, expected, bound }) => {
  const players: Player[] = [];
  for (const part of parts) {
    const session = loadOnnx(await part.onnx());
    const feeds: Record<string, OnnxFeed> = {};
    for (const [name, { dims }] of Object.entries(part.states))
      feeds[name] = { dims, data: new Float32Array(dims.at(-1)!) };
    players.push({
      step(data) {
        const results = session.run({ ...feeds, [part.input.name]: { data, dims: part.input.dims } });
        for (const [name, { from }] of Object.entries(part.states)) feeds[name] = results[from]!;
        return part.outputs.map((output) => results[output]!.data as Float32Array);
      },
    });
  }
  const { output } = await rehearse(players);
  const right = await expected();
  expect(right.length).toBeGreaterThan(0);
  expect(errorOf(output, right)).toBeLessThanOrEqual(bound);
});
