import { describe, expect, test } from 'vitest';
import { LSTM } from '../src/index.ts';
import { loadOnnx, type OnnxFeed, type OnnxResult } from '../src/onnx.ts';
import { parseSafetensors } from '../src/safetensors.ts';
import { readFixture, readJson } from './support/fixtures.ts';
import { readTensorProto } from './support/onnx-files.ts';

// Answers of ONNX Runtime and the ONNX project's own node tests (test/fixtures/onnx-ort, onnx-node).

const ort = await readJson('onnx-ort/index.json');
const node = await readJson('onnx-node/index.json');

function expectClose(got: OnnxResult | undefined, data: ArrayLike<number>, dims: readonly number[], tolerance: number) {
  expect(got?.dims).toEqual(dims);
  let worst = 0;
  for (let i = 0; i < data.length; i++) {
    const difference = Math.abs(Number(got!.data[i]) - data[i]!);
    worst = Math.max(worst, difference);
  }
  expect(worst).toBeLessThanOrEqual(tolerance);
}

function feedsOf(session: ReturnType<typeof loadOnnx>, tensors: Map<string, any>): Record<string, OnnxFeed> {
  return Object.fromEntries(session.inputs.map(({ name }) => [name, tensors.get(name)!]));
}

describe('answers of ONNX Runtime', () => {
  for (const { name, model, data, graph_outputs, tol_vs_formula } of ort.cases) {
    test(name, async () => {
      const session = loadOnnx(await readFixture(`onnx-ort/${model}`));
      const tensors = parseSafetensors(await readFixture(`onnx-ort/${data}`));
      const results = session.run(feedsOf(session, tensors));
      expect(Object.keys(results)).toEqual(Object.keys(graph_outputs));
      for (const [output, { shape }] of Object.entries<any>(graph_outputs)) {
        const formula = tensors.get(`${output}_formula`)!.data as Float32Array;
        expectClose(results[output], formula, shape, tol_vs_formula[output]);
        const runtime = tensors.get(output)!.data as Float32Array;
        const largest = runtime.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
        expectClose(results[output], runtime, shape, 1e-6 * largest);
      }
      session.dispose();
    });
  }
});

describe('the ONNX project’s node tests', () => {
  for (const { case: name, files } of node.cases) {
    test(name, async () => {
      const folder = `onnx-node/${name}`;
      const session = loadOnnx(await readFixture(`${folder}/model.onnx`));
      const read = async (file: string) => readTensorProto(await readFixture(`${folder}/test_data_set_0/${file}`));
      const names = Object.keys(files);
      const inputs = await Promise.all(names.filter((file) => file.startsWith('input')).map(read));
      const outputs = await Promise.all(names.filter((file) => file.startsWith('output')).map(read));
      expect(inputs).toHaveLength(session.inputs.length);
      const feeds = Object.fromEntries(session.inputs.map((input, i) => [input.name, inputs[i]!]));
      const results = session.run(feeds as Record<string, OnnxFeed>);
      expect(Object.keys(results)).toHaveLength(outputs.length);
      for (const [i, { data, dims }] of outputs.entries()) {
        // the expected values are sums in the generator's float32, of weights that are all the same
        expectClose(Object.values(results)[i], data as Float32Array, dims, 1e-6);
      }
      session.dispose();
    });
  }
});

describe('exports of torch.onnx', () => {
  for (const { name, model, data, state_dict, outputs, errors } of ort.torch_exports) {
    test(name, async () => {
      const session = loadOnnx(await readFixture(`onnx-ort/${model}`));
      const tensors = parseSafetensors(await readFixture(`onnx-ort/${data}`));
      const results = session.run(feedsOf(session, tensors));
      for (const [output, shape] of Object.entries<any>(outputs)) {
        const reference = tensors.get(`${output}_ref`)!.data as Float32Array;
        const { onnxruntime_vs_f64, torch_f32_vs_f64, ref_max_abs } = errors[output];
        const tolerance = Math.max(2 * onnxruntime_vs_f64, 2 * torch_f32_vs_f64, 2 ** -22 * Math.max(1, ref_max_abs));
        expectClose(results[output], reference, shape, tolerance);
      }
      const dict = parseSafetensors(await readFixture(`onnx-ort/${state_dict}`));
      const keys = [...dict.keys()].filter((key) => /weight_ih_l\d+$/.test(key));
      expect(session.lstms).toHaveLength(keys.length);
      for (const [layer, { stateDict, why }] of session.lstms.entries()) {
        expect(why).toBeUndefined();
        LSTM.fromStateDict(stateDict!).dispose();
        for (const [key, tensor] of stateDict!) {
          const original = [...dict.keys()].find((other) => other.endsWith(key.replace('_l0', `_l${layer}`)))!;
          expect(tensor).toEqual({ data: dict.get(original)!.data, dims: dict.get(original)!.dims });
        }
      }
      session.dispose();
    });
  }
});
