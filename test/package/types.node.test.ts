// Declarations under the compilers, libraries and ways to resolve modules that users have, with nothing left unchecked.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { makeConsumer } from '../support/consumer.ts';

const consumer = makeConsumer();
const require = createRequire(import.meta.url);

/** Uses all that there is, without `lib` dom. */
const PROGRAM = `
  import {
    type AnyTensor, bytesUsed, Embedding, type EmbeddingOptions, type IndexTensor, initialize, Linear, type LinearOptions,
    type LoadResult, LSTM, LSTMCell, type LSTMCellOptions, type LSTMOptions, type LSTMResult, type LSTMState,
    type LSTMStream, ModelError, type PackedSequence, packPaddedSequence, packSequence, padPackedSequence, padSequence,
    relu, sigmoid, softmax, type StateDict, tanh, type TensorLike, unpackSequence, unpadSequence,
  } from 'lstm-wasm';
  import * as main from 'lstm-wasm';
  import { type AudioModel, loadGuitarML, loadNam, loadRTNeural } from 'lstm-wasm/audio';
  import {
    loadOnnx, type OnnxAttribute, type OnnxFeed, type OnnxModel, type OnnxResult, type OnnxTensor, parseOnnx,
  } from 'lstm-wasm/onnx';
  import { type CheckpointOptions, type CheckpointTensor, parseCheckpoint } from 'lstm-wasm/pytorch';
  import { type KerasModel, loadKeras, readKerasWeights } from 'lstm-wasm/keras';
  import * as ort from 'lstm-wasm/ort';
  import { selfTest } from 'lstm-wasm/self-test';
  import * as safetensors from 'lstm-wasm/safetensors';
  import { type Effect, registerEffect } from 'lstm-wasm/worklet-scope';
  import { processorText } from 'lstm-wasm/worklet-text';
  import wasm from 'lstm-wasm/lstm.wasm';
  import edgeWasm from 'lstm-wasm/lstm.wasm?module';
  import int8Wasm from 'lstm-wasm/lstm-int8.wasm';
  import onnxWasm from 'lstm-wasm/lstm-onnx.wasm';

  const options: LSTMOptions = { numLayers: 2, batchFirst: true, seed: 1 };
  using lstm = new LSTM(10, 20, options);
  const input: TensorLike = { data: new Float32Array(30), dims: [1, 3, 10] };
  const result: LSTMResult = lstm.forward(input);
  const state: LSTMState = { h0: result.hn, c0: result.cn };
  lstm.forward(input, state, { out: result });
  const packed: PackedSequence = packSequence([{ data: new Float32Array(20), dims: [2, 10] }]);
  const packedResult: LSTMResult<PackedSequence> = lstm.forward(packed, null);
  const lengths: Int32Array | number[] | BigInt64Array = padPackedSequence(packedResult.output).lengths;
  const stream: LSTMStream = lstm.stream();
  const steps: number = stream.run(stream.input, new Float32Array(20));
  stream.load(stream.save());
  stream.setState(stream.getState());

  const cellOptions: LSTMCellOptions = { bias: false };
  const cell = new LSTMCell(10, 20, cellOptions);
  const linearOptions: LinearOptions = { bias: true };
  const scores: TensorLike = softmax(new Linear(20, 3, linearOptions).forward(result.output), -1);
  const embeddingOptions: EmbeddingOptions = {};
  const indices: IndexTensor = { data: Int32Array.of(1), dims: [1] };
  const embedded: TensorLike = new Embedding(5, 10, embeddingOptions).forward(indices);
  const tensors: TensorLike[] = [relu(scores), sigmoid(scores), tanh(scores), embedded, padSequence([input])];
  unpadSequence(input, [3], { batchFirst: true });
  unpackSequence(packPaddedSequence(input, [3], { batchFirst: true, enforceSorted: true }));

  const file: Uint8Array = safetensors.serializeSafetensors(lstm.stateDict('lstm.'));
  const weights: Map<string, safetensors.SafetensorsTensor> = safetensors.parseSafetensors(file);
  const stateDict: StateDict = weights;
  const tensor: AnyTensor | undefined = weights.get('lstm.weight_ih_l0');
  const { missingKeys, unexpectedKeys }: LoadResult = lstm.loadStateDict(stateDict, 'lstm.', { strict: false });
  const keys: string[] = [...missingKeys, ...unexpectedKeys];
  const checkpointOptions: CheckpointOptions = { key: 'model' };
  const checkpoint: Map<string, CheckpointTensor> = parseCheckpoint(file, checkpointOptions);
  LSTM.fromStateDict(parseCheckpoint(file.buffer as ArrayBuffer), { prefix: 'lstm.' }).loadStateDict(checkpoint);
  using amp: AudioModel = loadNam('{}');
  const rate: number | undefined = amp.sampleRate;
  loadRTNeural({}).process(input.data, result.output.data);
  loadGuitarML({}).process(input.data, result.output.data, [0.5, rate ?? 0]);
  amp.reset();
  const effect: Effect = amp;
  registerEffect(processorText, () => effect);
  using session = loadOnnx(file);
  const x: OnnxFeed = { ...input, type: 'float32' };
  const outputs: Record<string, OnnxResult> = session.run({ x });
  session.run(new Map([['x', input]]));
  const dims: readonly (number | string)[] | undefined = session.inputs[0]?.dims;
  const layer: StateDict | undefined = session.lstms[0]?.stateDict;
  const parsed: OnnxModel = parseOnnx(file.buffer as ArrayBuffer);
  const weight: OnnxTensor | undefined = parsed.graph.initializers.get('W');
  const attribute: OnnxAttribute | undefined = parsed.graph.nodes[0]?.attributes.get('axis');
  const model: KerasModel = loadKeras({ h5: file });
  model.predict({ data: [1], dims: [1, 1] }).dims;
  lstm.loadStateDict(readKerasWeights(file));
  const ran = ort.InferenceSession.create(file).then((s) => s.run({ x: new ort.Tensor('float32', [1]), y: input }));
  const same: typeof ModelError = safetensors.ModelError;
  const error = (e: unknown): string => (e instanceof ModelError ? e.code + e.path : '');
  initialize(wasm, { int8: int8Wasm, onnx: onnxWasm });
  selfTest();
  loadOnnx(file, { kernels: onnxWasm });
  initialize(edgeWasm);
  LSTM.fromStateDict(weights, { prefix: 'lstm.' }).dispose();
  export { attribute, dims, layer, outputs, weight };
  export { bytesUsed, cell, ran, error, keys, lengths, same, steps, tensor, tensors };

  // The types refuse what the code refuses.
  // @ts-expect-error an option that nobody reads
  new LSTM(10, 20, { batch_first: true });
  // @ts-expect-error a size that is no number
  new LSTM('10', 20);
  // @ts-expect-error numbers that are not float32
  lstm.forward({ data: new Float64Array(30), dims: [3, 10] });
  // @ts-expect-error a tensor where packed input gives packed output
  export const wrong: LSTMResult = lstm.forward(packed);
  // @ts-expect-error a string where bytes are expected
  safetensors.parseSafetensors('model.safetensors');
  // @ts-expect-error a string where bytes are expected
  parseCheckpoint('model.pt');
  // @ts-expect-error an option that nobody reads
  parseCheckpoint(file, { prefix: 'model' });
  // @ts-expect-error bytes where text is expected
  loadNam(7);
  // @ts-expect-error float64, which is not computed with
  session.run({ x: { data: new Float64Array(1), dims: [1] } });
  // @ts-expect-error text where a compiled module is expected
  initialize('lstm.wasm');
  // @ts-expect-error a class that has no value here
  new main.LSTMStream();
  // @ts-expect-error nothing else is exported
  export { wasm } from 'lstm-wasm';
`;

/** What there is with `lib` dom alone. */
const DOM = `
  import { initialize } from 'lstm-wasm';
  import wasm from 'lstm-wasm/lstm.wasm';
  import { InferenceSession } from 'lstm-wasm/ort';
  import { openSafetensors } from 'lstm-wasm/safetensors';
  import { type FromProcessor, type Load, LstmNode, type LstmNodeOptions } from 'lstm-wasm/worklet';

  export async function play(context: AudioContext, source: AudioNode): Promise<LstmNode> {
    const options: LstmNodeOptions = { channels: 2, knobs: [0.5], processorUrl: new URL('https://example.org/processor.js') };
    const node: LstmNode = await LstmNode.create(context, '{}', options);
    const plain: AudioWorkletNode = node;
    const knob: AudioParam | undefined = node.knobs[0];
    plain.parameters.forEach((each: AudioParam, name: string) => console.log(name, each.value));
    knob?.setTargetAtTime(1, context.currentTime, 0.01);
    node.addEventListener('error', (event) => { const error: ErrorEvent = event; console.error(error.message); });
    node.port.postMessage({ type: 'reset' });
    node.port.addEventListener('message', ({ data }: MessageEvent<FromProcessor>) => data.type === 'ready' && data.latency);
    // @ts-expect-error a message that the processor does not know
    node.port.postMessage({ type: 'other' });
    await node.load(new Map([['weight_ih_l0', { data: new Float32Array(4), dims: [4, 1] }]]), { sampleRate: 48_000 });
    const { average }: Load = await node.measureLoad(() => context.close());
    node.bypass = average + node.latency > 1;
    // @ts-expect-error an option that nobody reads
    await LstmNode.create(context, '{}', { stereo: true });
    using end = await LstmNode.create(new OfflineAudioContext(1, 1, 48_000), {});
    source.connect(end);
    return node;
  }
  initialize(new WebAssembly.Module(new Uint8Array(8)));
  export const instance = new WebAssembly.Instance(wasm);
  export const file = openSafetensors(new Blob([]));
  export const session = InferenceSession.create(new URL('https://example.org/model.onnx'));
`;

const PROJECTS = [
  ['nodenext', ['es2022']],
  ['nodenext', ['es2022', 'dom']],
  ['esnext', ['es2022']],
  ['esnext', ['es2022', 'dom']],
] as const;

it.each([
  ['5.4', 'typescript-5.4'],
  ['5.9', 'typescript-5.9'],
  ['6.0', 'typescript'],
  ['7.0', 'typescript-7'],
])('TypeScript %s', (version, name) => {
  const manifest = require.resolve(`${name}/package.json`);
  expect(require(manifest).version).toContain(`${version}.`);
  const folders = PROJECTS.map(([module, lib], i) => {
    const folder = join(consumer, `${name}-${i}`);
    mkdirSync(folder);
    const files = { 'program.ts': PROGRAM, ...(lib.length > 1 ? { 'dom.ts': DOM } : {}) };
    const moduleResolution = module === 'esnext' ? 'bundler' : module;
    const compilerOptions = {
      ...{ module, moduleResolution, lib, target: 'es2022', types: [], strict: true, skipLibCheck: false },
      ...{ exactOptionalPropertyTypes: true, declaration: true, rootDir: '.', outDir: 'out' },
    };
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
    return folder;
  });
  const tsc = join(dirname(manifest), 'bin/tsc');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '--build', ...folders], {
    cwd: consumer,
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});
