import { describe, expect, test } from 'vitest';
import { loadOnnx, type OnnxFeed } from '../src/onnx.ts';
import { readJson } from './support/fixtures.ts';
import { readTensorProto } from './support/onnx-files.ts';

// The ONNX project's node tests of the operators here, and of functions that expand to them (test/fixtures/onnx-operators).

const cases: { name: string; model: string; inputs: string[]; outputs: string[] }[] =
  await readJson('onnx-operators/cases.json');

/** Cases that are not supported, with their error. */
const REFUSED: readonly [RegExp, RegExp][] = [
  [/^test_batchnorm_.*training_mode$/, /BatchNormalization\).* expected inference/],
  [/^test_training_dropout(_default)?(_mask)?$/, /training_mode expected false/],
  [/^test_not_/, /operator set of ONNX from 7 to 28, got 1$/],
];

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

describe('the ONNX project’s node tests', () => {
  for (const { name, model, inputs, outputs } of cases) {
    test(name, () => {
      const run = () => {
        const session = loadOnnx(bytes(model));
        const feeds = new Map(session.inputs.map((input, i) => [input.name, readTensorProto(bytes(inputs[i]!))]));
        const results = Object.values(session.run(feeds as unknown as ReadonlyMap<string, OnnxFeed>));
        session.dispose();
        return results;
      };
      const refused = REFUSED.find(([pattern]) => pattern.test(name));
      if (refused) {
        expect(run).toThrow(refused[1]);
        return;
      }
      const results = run();
      expect(results).toHaveLength(outputs.length);
      for (const [i, result] of results.entries()) {
        const { data, dims, type } = readTensorProto(bytes(outputs[i]!));
        expect(result.dims).toEqual(dims);
        expect(result.type).toBe(type);
        expect(result.data.length).toBe(data.length);
        for (let k = 0; k < data.length; k++) {
          if (type !== 'float32') expect(result.data[k]).toBe(data[k]);
          else expectNear(result.data[k] as number, data[k] as number);
        }
      }
    });
  }
});

/** Allows less than the project, which allows 1e-3 of the value; numpy's float32 sums pass. */
function expectNear(got: number, expected: number): void {
  if (Object.is(got, expected)) return;
  const tolerance = 2e-6 * Math.max(1, Math.abs(expected));
  if (!(Math.abs(got - expected) <= tolerance)) expect(got).toBe(expected);
}
