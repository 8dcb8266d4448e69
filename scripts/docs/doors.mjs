// The doors of the package as the reference has them: package.json's `exports` that are made of TypeScript.
import { readFileSync } from 'node:fs';

const { name, exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

/** Above each module's list of exports. */
const SUMMARIES = {
  index: "LSTM, the layers around it and packed sequences, with `torch.nn`'s semantics; streams; 8-bit weights.",
  gru: "GRU and RNN, and their cells, with `torch.nn`'s semantics.",
  safetensors: 'Reads and writes safetensors files, in one piece, in shards, or a tensor at a time.',
  pytorch: 'Reads checkpoints of `torch.save`, and runs nothing that is in them.',
  onnx: 'Reads ONNX files and runs them.',
  audio: 'Plays LSTM models of guitar amplifiers and effects: Neural Amp Modeler, RTNeural, GuitarML.',
  ort: "onnxruntime-web's calls on `lstm-wasm/onnx`, for programs that were written for it.",
  keras: 'Reads models of Keras and TensorFlow.js and runs them.',
  worklet: "An effect as an AudioNode: the page's side.",
  'worklet-scope': "An effect of your own as an AudioNode: the processor's side.",
  'worklet-text': "The processor's file as text, for a page of one file.",
  'worklet-processor': 'The processor of an `LstmNode`, for `AudioWorklet.addModule()`. It has no exports.',
  'self-test': 'Tells whether the engine computes right.',
  register:
    'For `node --import lstm-wasm/register`: onnxruntime-node, -web and -common are `lstm-wasm/ort` in the program. It has no exports.',
};

/**
 * By the names of sources (src/NAME.ts) the names by which doors are imported, and a sentence on each.
 * @type {ReadonlyMap<string, { readonly name: string, readonly summary: string }>}
 */
export const DOORS = new Map();
for (const [path, { types }] of Object.entries(exports)) {
  const source = types?.match(/^\.\/dist\/(.*)\.d\.ts$/)[1];
  // a compiled module is no source
  if (!source || path.includes('.wasm')) continue;
  if (!SUMMARIES[source]) throw new Error(`scripts/docs/doors.mjs: no summary of ${path}`);
  DOORS.set(source, { name: path.replace('.', name), summary: SUMMARIES[source] });
}
