import { loadOnnx } from 'lstm-wasm/onnx';
import * as ort from 'lstm-wasm/ort';
import { Unavailable } from '../unavailable.mjs';
import { openOrt } from './ort.mjs';

/** loadOnnx(), what it returns written into the same tensors at each run. @type {import('./contestants.mjs').Open} */
export async function open(part, { eightBit }) {
  const session = load(await part.onnx(), eightBit);
  const { input, states } = part;
  const feeds = { [input.name]: zeros(input.dims), ...part.constants };
  for (const [name, { dims }] of Object.entries(states)) feeds[name] = zeros(dims);
  const x = feeds[input.name].data;
  // dims of outputs are known after a run
  const out = { ...session.run(feeds) };
  const fedBack = Object.entries(states).map(([name, { from }]) => [name, from]);
  for (const [name, from] of fedBack) out[from] = feeds[name];
  const options = { out };
  return {
    version: '',
    step(frame) {
      x.set(frame);
      const results = session.run(feeds, options);
      // a build that does not write to `out` returns new tensors
      for (const [name, from] of fedBack) feeds[name] = results[from];
      return part.outputs.map((name) => results[name].data);
    },
  };
}

function load(bytes, eightBit) {
  if (!eightBit) return loadOnnx(bytes);
  try {
    return loadOnnx(bytes, { quantize: 8 });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Unavailable('this build has no quantize');
  }
}

function zeros(dims) {
  return { data: new Float32Array(dims.reduce((product, size) => product * size)), dims };
}

/** lstm-wasm/ort, with the code that runs onnxruntime. @type {import('./contestants.mjs').Open} */
export async function openAsOrt(part) {
  return openOrt({ ort, version: '', options: {} }, part);
}
