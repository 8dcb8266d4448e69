// The models of `npm run bench:models` that a script writes, in the idioms of tf2onnx and torch: loadOnnx() gives what float64 gives.
import { expect, test } from 'vitest';
import { MODELS } from '../benchmarks/models/list.mjs';
import { errorOf } from '../benchmarks/oracle.mjs';
import { loadOnnx } from '../src/onnx.ts';

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
