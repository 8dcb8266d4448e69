// What is fuzzed: a row for each format. A mutant is a valid file of the fixtures with one to three changes of its structure,
// written so that the changes get past checksums and lengths, or with a few bytes changed. All from a seed.
import { readFileSync } from 'node:fs';
import { bytesUsed, LSTM, LSTMCell } from 'lstm-wasm';
import { loadGuitarML, loadNam, loadRTNeural } from 'lstm-wasm/audio';
import { loadKeras } from 'lstm-wasm/keras';
import { loadOnnx, parseOnnx } from 'lstm-wasm/onnx';
import { parseCheckpoint } from 'lstm-wasm/pytorch';
import { parseSafetensors } from 'lstm-wasm/safetensors';
import { mutateOnnx, runOnnx } from './fuzz-onnx.mjs';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url));
const checkpoints = [
  'lstm',
  'views',
  'tied',
  'parameters',
  'integers',
  'protocol_4',
  'deflated',
  'zip64',
  'newer_torch',
];
const json = (path) => JSON.parse(read(path));

/** Weights for 2 units in place of 8 and with two decimals, of the rows of each gate the first: short files, many mutants. */
function shorten(weights) {
  if (!Array.isArray(weights)) return Math.round(100 * weights) / 100;
  return weights.filter((_, i) => i % 8 < 2).map(shorten);
}

const torch = Object.fromEntries(
  Object.entries(json('examples/guitar-amp/data/rtneural/lstm_torch.json')).map(([name, value]) => [
    name,
    shorten(value),
  ]),
);
const keras = json('test/fixtures/audio/lstm_1d.json');
for (const layer of keras.layers) {
  layer.weights = layer.weights.map(shorten);
  layer.shape[2] = Math.min(2, layer.shape[2]);
}
const guitar = {
  model_data: {
    ...{ model: 'SimpleRNN', unit_type: 'LSTM', input_size: 2, hidden_size: 2, num_layers: 3, output_size: 1, skip: 1 },
    bias_fl: true,
  },
  state_dict: Object.fromEntries(
    Object.entries(torch)
      .filter(([name]) => !name.startsWith('lstm.'))
      .map(([name, value]) => [name.replace('lstm2.', 'rec.').replace('dense.', 'lin.'), value]),
  ),
};

const onnx = json('test/fixtures/onnx-ort/index.json');
const lstms = [...onnx.cases, ...onnx.torch_exports].map(({ model }) => read(`test/fixtures/onnx-ort/${model}`));
const operators = json('test/fixtures/onnx-operators/cases.json').map(({ model }) => Buffer.from(model, 'base64'));

/** Each takes the states of the models of its shape only. */
const streams = [
  new LSTM(2, 3, { numLayers: 2 }),
  new LSTM(2, 3, { numLayers: 2, projSize: 1 }),
  new LSTMCell(2, 3),
].map((model) => model.stream());

/**
 * `seeds`: what mutants are made of; `mutate(seed, random)`: a file; `load(file)`: throws or gives something; `run`: three
 * steps of that; `first`: the codes of the first check, which at least 30 % of the mutants are to get past.
 */
export const FORMATS = {
  safetensors: {
    seeds: ['layers_2', 'edge_all_1', 'cell_f16', 'doc_lstmcell_10_20'].map((name) =>
      read(`test/fixtures/torch/${name}.safetensors`),
    ),
    mutate: mutateSafetensors,
    load: parseSafetensors,
    run: runWeights,
    first: ['truncated', 'header-too-large', 'invalid-json', 'invalid-utf8'],
  },
  pytorch: {
    seeds: checkpoints.map((name) => read(`test/fixtures/pytorch/${name}.pt`)),
    mutate: mutateCheckpoint,
    load: (file) => parseCheckpoint(file),
    run: runWeights,
    first: ['not-a-zip', 'legacy-format', 'truncated', 'invalid-zip', 'wrong-checksum', 'overlap', 'hole'],
  },
  nam: {
    seeds: [json('examples/guitar-amp/data/nam/lstm.nam')],
    mutate: mutateJson,
    load: loadNam,
    run: runAudio,
    first: ['invalid-json'],
  },
  rtneural: {
    seeds: [keras, torch],
    mutate: mutateJson,
    load: loadRTNeural,
    run: runAudio,
    first: ['invalid-json'],
  },
  'keras-tfjs': {
    seeds: [
      ...['default_hardsigmoid', 'sigmoid_sequences_states', 'mask_go_backwards', 'bidirectional_concat_nobias'],
      'all_layers',
    ].map((name) => ({
      json: json(`test/fixtures/keras/${name}.model.json`),
      weights: read(`test/fixtures/keras/${name}.weights.bin`),
    })),
    mutate: mutateTfjs,
    load: loadKeras,
    run: runKeras,
    first: ['invalid-json'],
  },
  'keras-h5': {
    seeds: ['model', 'chunks', 'newer'].map((name) => read(`test/fixtures/keras/${name}.h5`)),
    mutate: mutateHdf5,
    load: (file) => loadKeras({ h5: file }),
    run: runKeras,
    first: ['not-hdf5', 'truncated'],
  },
  'keras-archive': {
    seeds: [read('test/fixtures/keras/model.keras')],
    mutate: mutateArchive,
    load: (file) => loadKeras({ keras: file }),
    run: runKeras,
    first: ['not-a-zip', 'truncated', 'invalid-zip', 'wrong-checksum', 'overlap', 'hole'],
  },
  guitarml: { seeds: [guitar], mutate: mutateJson, load: loadGuitarML, run: runAudio, first: ['invalid-json'] },
  onnx: {
    // of small models with the one operator that has most to check as many as of all others
    seeds: [...operators, ...lstms.flatMap((file) => Array(file.length < 1e4 ? 30 : 1).fill(file))],
    mutate: mutateOnnx,
    load: readOnnx,
    run: runOnnx,
    first: ['malformed', 'truncated', 'not-utf8', 'too-deep'],
  },
  state: {
    seeds: streams.map((stream) => stream.save()),
    mutate: mutateState,
    load: loadState,
    run: runState,
    first: ['not-a-state', 'damaged'],
  },
};

/** mulberry32: an integer below `n`. */
export function makeRandom(state) {
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

const pick = (random, list) => list[random(list.length)];

/** Three steps of the LSTM that has its weights there, under the first prefix. A ModelError is an answer. */
function runWeights(tensors) {
  const first = [...tensors.keys()].find((name) => name.endsWith('weight_ih_l0'));
  if (first === undefined) return;
  const lstm = LSTM.fromStateDict(tensors, { prefix: first.slice(0, -'weight_ih_l0'.length) });
  try {
    lstm.forward({ data: new Float32Array(3 * lstm.inputSize).fill(0.5), dims: [3, lstm.inputSize] });
  } finally {
    lstm.dispose();
  }
}

function runAudio(model) {
  const block = new Float32Array(3).fill(0.5);
  for (let knobs = 0; ; knobs++) {
    try {
      model.process(block, block, Array(knobs).fill(0.5));
      break;
    } catch (error) {
      if (!/knobs/.test(error.message) || knobs > 100) throw error;
    }
  }
  model.dispose();
}

/** Three calls with inputs of the shapes that the model declares. */
function runKeras(model) {
  const inputs = model.inputs.map(({ dims }) => {
    const sizes = dims.map((size, i) => size ?? (i === 0 ? 2 : 3));
    return { data: new Float32Array(sizes.reduce((a, b) => a * b, 1)).fill(1), dims: sizes };
  });
  try {
    const { length } = inputs.reduce((most, { data }) => (data.length > most.length ? data : most), []);
    if (length < 1e5) for (let call = 0; call < 3; call++) model.predict(inputs);
  } catch (error) {
    // what depends on the values: an index that an Embedding has not, a dimension that the file leaves open
    if (!(error instanceof RangeError) || !/expected/.test(error.message)) throw error;
  } finally {
    model.dispose();
  }
}

/** Reads every tensor, and then makes the model. */
function readOnnx(file) {
  for (const tensor of parseOnnx(file).graph.initializers.values()) void tensor.data;
  return loadOnnx(file);
}

/** @throws what the first stream throws if none takes the state; an Error if that has changed one of them */
function loadState(bytes) {
  const [refusal, ...others] = streams.flatMap((stream) => {
    const before = stream.save();
    try {
      stream.load(bytes);
      return [];
    } catch (error) {
      if (Buffer.compare(before, stream.save()) !== 0) throw new Error('a refused state has changed the stream');
      return [error];
    }
  });
  if (others.length === streams.length - 1) throw refusal;
}

function runState() {
  for (const stream of streams) for (let step = 0; step < 3; step++) stream.step();
}

/** Changes words, mostly with the checksum made right again, and the length. */
function mutateState(seed, random) {
  let file = Buffer.from(seed);
  for (let n = 1 + random(3); n > 0; n--) {
    const at = 4 * random(random(3) === 0 ? 7 : file.length / 4);
    if (random(2) === 0) file.writeUInt32LE(pick(random, [0, 1, 2, 3, 4, 2 ** 31, 2 ** 32 - 1, 0x7fc00000]), at);
    else file[at + random(4)] ^= 1 << random(8);
  }
  const size = random(file.length + 9);
  if (random(8) === 0) file = size < file.length ? file.subarray(0, size) : Buffer.concat([file], size);
  if (random(8) > 0 && file.length > 4) file.writeUInt32LE(crc32(file.subarray(0, -4)), file.length - 4);
  return file;
}

/** Changes in model.json, and now and then in the weights. */
function mutateTfjs({ json, weights }, random) {
  const bytes = Buffer.from(weights);
  if (random(8) === 0) changeBytes(bytes, 0, bytes.length, random);
  const size = random(16) === 0 ? random(bytes.length) : bytes.length;
  return { modelJson: mutateJson(json, random), weights: bytes.subarray(0, size) };
}

/** Letters that structures of HDF5 begin with. */
const STRUCTURES = ['TREE', 'HEAP', 'SNOD', 'GCOL', '\x01\x00'];

/** Changes near the beginning of a structure of HDF5, or anywhere: numbers at edges, bytes, an address that is another's. */
function changeHdf5(file, random) {
  const places = [];
  const letters = pick(random, STRUCTURES);
  for (let at = file.indexOf(letters, 0, 'latin1'); at >= 0; at = file.indexOf(letters, at + 1, 'latin1'))
    places.push(at);
  const near = places.length > 0 && random(4) > 0 ? pick(random, places) + random(80) : random(file.length);
  const at = Math.min(near, file.length - 8);
  const kind = random(6);
  if (kind === 0) changeBytes(file, at, Math.min(file.length, at + 40), random);
  else if (kind === 1)
    file.writeBigUInt64LE(pick(random, [0n, 1n, 96n, BigInt(at), BigInt(file.length), 2n ** 53n, 2n ** 64n - 1n]), at);
  else if (kind === 2) file.writeUInt16LE(pick(random, [0, 1, 2, 255, 65535]), at);
  else if (kind === 3) file.writeUInt32LE(pick(random, [0, 1, 3, 2 ** 16, 2 ** 31, 2 ** 32 - 1]), at);
  else if (kind === 4 && places.length > 0) file.writeBigUInt64LE(BigInt(pick(random, places)), at - (at % 8));
  else file[at] ^= 1 << random(8);
}

function mutateHdf5(seed, random) {
  const file = Buffer.from(seed);
  for (let n = 1 + random(3); n > 0; n--) {
    // words of model_config, of the same length
    const at = random(5) === 0 ? file.indexOf('"class_name"') + random(800) : -1;
    if (at >= 0 && at < file.length - 8) changeBytes(file, at, at + 8, random);
    else changeHdf5(file, random);
  }
  return random(20) === 0 ? file.subarray(0, random(file.length)) : file;
}

/** Changes in an entry, with its checksum made right again, or in the headers of the zip. */
function mutateArchive(seed, random) {
  const file = Buffer.from(seed);
  const entries = directory(file);
  for (let n = 1 + random(3); n > 0; n--) {
    if (random(8) === 0) {
      changeBytes(file, entries[0].header, file.length, random);
      continue;
    }
    const entry = pick(random, entries);
    const part = file.subarray(entry.begin, entry.end);
    if (entry.name.endsWith('.h5')) changeHdf5(part, random);
    else changeBytes(file, entry.begin, entry.end, random);
    file.writeUInt32LE(crc32(part), entry.header + 16);
    file.copy(file, entry.offset + 14, entry.header + 16, entry.header + 20);
  }
  return random(20) === 0 ? file.subarray(0, random(file.length)) : file;
}

const VALUES = [
  0,
  1,
  -1,
  2,
  3,
  1.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e39,
  1e308,
  '',
  'LSTM',
  '__proto__',
  null,
  true,
  [],
  {},
  [[]],
];

/** Also of a name that objects inherit. */
function define(object, name, value) {
  Object.defineProperty(object, name, { value, configurable: true, enumerable: true, writable: true });
}

/** One change somewhere in a JSON value, which is one of our own. */
function changeJson(value, random) {
  let parent = value;
  let key;
  for (;;) {
    const keys = Object.keys(parent);
    if (keys.length === 0) return;
    key = pick(random, keys);
    const child = parent[key];
    // mostly not down into long lists of numbers
    if (child === null || typeof child !== 'object' || random(4) === 0) break;
    parent = child;
  }
  const kind = random(8);
  if (kind === 0 && Array.isArray(parent)) parent.splice(Number(key), 1);
  else if (kind === 0) delete parent[key];
  else if (kind === 1 && Array.isArray(parent)) parent.push(structuredClone(parent[key]));
  else if (kind === 1)
    define(parent, pick(random, ['__proto__', 'constructor', '', `${key}2`]), structuredClone(parent[key]));
  else if (kind === 2) parent[key] = [parent[key]];
  else if (kind === 3) parent[key] = structuredClone(parent[pick(random, Object.keys(parent))]);
  else if (kind === 4 && typeof parent[key] === 'number') parent[key] += pick(random, [-1, 1, 0.5, 1e38]);
  else parent[key] = structuredClone(pick(random, VALUES));
}

function mutateJson(seed, random) {
  const value = structuredClone(seed);
  for (let n = 1 + random(3); n > 0; n--) changeJson(value, random);
  let text = JSON.stringify(value);
  if (random(4) === 0) {
    const at = random(text.length);
    text =
      text.slice(0, at) +
      pick(random, [...'{}[]",:\\0-.eE\u0000\ud800 ', 'null', '"a":1,']) +
      text.slice(at + random(3));
  }
  return text;
}

function mutateSafetensors(seed, random) {
  const size = seed.readUInt32LE(0);
  const header = JSON.parse(seed.subarray(8, 8 + size));
  for (let n = 1 + random(3); n > 0; n--) changeJson(header, random);
  const text = Buffer.from(JSON.stringify(header));
  const file = Buffer.concat([Buffer.alloc(8), text, seed.subarray(8 + size)]);
  file.writeUInt32LE(text.length, 0);
  if (random(4) === 0) changeBytes(file, 0, Math.min(file.length, 8 + text.length), random);
  return file;
}

/** Opcodes of pickles, and numbers at edges. */
const BYTES = [...'(.0123FIJKLMNPQRSTUVX]abcdegilhjopqrstu}CB'].map((char) => char.charCodeAt(0));
for (let byte = 0x80; byte <= 0x98; byte++) BYTES.push(byte);
BYTES.push(0, 1, 2, 3, 4, 5, 0x7f, 0xff);

/** Changes bytes from `from` to `to`, and no length. */
function changeBytes(file, from, to, random) {
  if (to <= from) return;
  const at = from + random(to - from);
  const kind = random(5);
  if (kind === 0) file[at] ^= 1 << random(8);
  else if (kind === 1) file.copyWithin(at, from + random(to - from), Math.min(to, at + 1 + random(12)));
  else if (kind === 2) file.copyWithin(at, at + 1, to);
  else if (kind === 3) file.copyWithin(Math.min(to - 1, at + 1), at, to - 1);
  else file[at] = pick(random, BYTES);
}

/** Changes data of entries, with checksums made right again, or the headers of the zip. */
function mutateCheckpoint(seed, random) {
  const file = Buffer.from(seed);
  const entries = directory(file);
  for (let n = 1 + random(3); n > 0; n--) {
    const kind = random(10);
    if (kind === 0) changeBytes(file, 0, file.length, random);
    else if (kind === 1) changeBytes(file, entries[0].header, file.length, random);
    else {
      const entry = kind < 8 ? entries.find(({ name }) => name.endsWith('data.pkl')) : pick(random, entries);
      changeBytes(file, entry.begin, entry.end, random);
      if (entry.method === 0) file.writeUInt32LE(crc32(file.subarray(entry.begin, entry.end)), entry.header + 16);
      if (entry.method === 0 && !(entry.flags & 8))
        file.copy(file, entry.offset + 14, entry.header + 16, entry.header + 20);
      // the descriptor behind the data
      else if (entry.method === 0) file.copy(file, entry.end + 4, entry.header + 16, entry.header + 20);
    }
  }
  return random(20) === 0 ? file.subarray(0, random(file.length)) : file;
}

/** Where the entries of a valid zip lie. */
function directory(file) {
  const entries = [];
  for (let at = file.indexOf('PK\x01\x02', 0, 'latin1'); at >= 0; at = file.indexOf('PK\x01\x02', at + 4, 'latin1')) {
    const name = file.toString('utf8', at + 46, at + 46 + file.readUInt16LE(at + 28));
    const zip64 = file.readUInt32LE(at + 20) === 0xffffffff ? at + 46 + name.length + 4 : 0;
    const size = zip64 ? file.readUInt32LE(zip64 + 8) : file.readUInt32LE(at + 20);
    const offset = zip64 ? file.readUInt32LE(zip64 + 16) : file.readUInt32LE(at + 42);
    const begin = offset + 30 + file.readUInt16LE(offset + 26) + file.readUInt16LE(offset + 28);
    const [flags, method] = [file.readUInt16LE(at + 8), file.readUInt16LE(at + 10)];
    entries.push({ name, header: at, flags, method, offset, begin, end: begin + size });
  }
  return entries;
}

const TABLE = Int32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/**
 * Makes mutant number `index` of a format and reads it.
 * @returns what became of it: 'loaded', the code of the ModelError, and a `problem` if it is any other error, took too long or
 *   left something in linear memory
 */
export function tryMutant(name, index, ModelError) {
  const { seeds, mutate, first } = FORMATS[name];
  const random = makeRandom(index * 7919 + name.length);
  const file = mutate(pick(random, seeds), random);
  const used = bytesUsed();
  let attempt = readMutant(name, file, ModelError);
  // perhaps a neighbour had the processor: once more, in the time of this process alone
  const own = () => process.cpuUsage().user / 1000;
  if (attempt.milliseconds > 1000) attempt = readMutant(name, file, ModelError, own);
  let { problem } = attempt;
  if (attempt.milliseconds > 1000) problem ??= `took ${Math.round(attempt.milliseconds)} ms`;
  if (bytesUsed() > used) problem ??= `left ${bytesUsed() - used} bytes in linear memory`;
  return { file, ...attempt, problem, past: !first.includes(attempt.outcome) };
}

/** Loads a file and runs what it gives. */
export function readMutant(name, file, ModelError, clock = () => performance.now()) {
  const { load, run } = FORMATS[name];
  const start = clock();
  let outcome = 'loaded';
  let problem;
  try {
    const loaded = load(file);
    try {
      run(loaded);
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
    }
  } catch (error) {
    if (error instanceof ModelError) outcome = error.code;
    else problem = `${error.stack ?? error}`;
  }
  return { outcome, problem, milliseconds: clock() - start };
}
