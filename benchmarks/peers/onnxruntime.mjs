import { onnxModel } from './onnx.mjs';

const OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all' };

/** onnxruntime-web: WebAssembly, one thread. @type {import('../contestants.mjs').Open} */
export async function openWeb(shape, weights, { int8, assets }) {
  // in a page the smaller build, without WebGPU
  const ort = await (assets ? import('onnxruntime-web/wasm') : import('onnxruntime-web'));
  if (assets) ort.env.wasm.wasmPaths = `${assets}onnxruntime-web/dist/`;
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  return open(ort, ort.env.versions.web, shape, weights, int8, { ...OPTIONS, executionProviders: ['wasm'] });
}

/** onnxruntime-node: native code. @type {import('../contestants.mjs').Open} */
export async function openNode(shape, weights, { int8 }) {
  const ort = await import('onnxruntime-node');
  return open(ort, ort.env.versions.node, shape, weights, int8, { ...OPTIONS, executionProviders: ['cpu'] });
}

async function open({ InferenceSession, Tensor }, version, shape, weights, int8, options) {
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
