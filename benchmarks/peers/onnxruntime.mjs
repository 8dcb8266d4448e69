import { onnxModel } from './onnx.mjs';

const OPTIONS = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
};

/** onnxruntime-web: WebAssembly, one thread. @param {string} [assets] where a page finds the peers' packages */
export async function loadWeb(assets) {
  // in a page the smaller build, without WebGPU
  const ort = await (assets ? import('onnxruntime-web/wasm') : import('onnxruntime-web'));
  if (assets) ort.env.wasm.wasmPaths = `${assets}onnxruntime-web/dist/`;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  return { ort, version: ort.env.versions.web, options: { ...OPTIONS, executionProviders: ['wasm'] } };
}

/** onnxruntime-node: native code, one thread. */
export async function loadNode() {
  const ort = await import('onnxruntime-node');
  return { ort, version: ort.env.versions.node, options: { ...OPTIONS, executionProviders: ['cpu'] } };
}

/** @type {import('../contestants.mjs').Open} */
export async function openWeb(shape, weights, { int8, assets }) {
  return open(await loadWeb(assets), shape, weights, int8);
}

/** @type {import('../contestants.mjs').Open} */
export async function openNode(shape, weights, { int8 }) {
  return open(await loadNode(), shape, weights, int8);
}

async function open({ ort: { InferenceSession, Tensor }, version, options }, shape, weights, int8) {
  const session = await InferenceSession.create(onnxModel(shape, weights, int8), options);
  const { I, H, T, B } = shape;
  const zeros = () => new Tensor('float32', new Float32Array(H), [1, 1, H]);
  const frame = new Float32Array(I);
  const feeds = { x: new Tensor('float32', frame, [1, 1, I]), h: zeros(), c: zeros() };
  let sequence;
  return {
    version,
    async step(x) {
      frame.set(x);
      const { hn, cn } = await session.run(feeds);
      feeds.h = hn;
      feeds.c = cn;
      return hn.data;
    },
    async forward(x) {
      sequence ??= { x: new Tensor('float32', x, [T, B, I]) };
      return (await session.run(sequence)).y.data;
    },
  };
}
