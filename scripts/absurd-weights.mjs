// node scripts/absurd-weights.mjs [COUNT [FIRST]]: makes COUNT valid but absurd files of safetensors and of PyTorch from number
// FIRST on, reads each, and prints a line for each that takes more than a second of the processor, gives more bytes than it may or
// another number than was written, or throws anything but a ModelError. Before each it prints its number, so that a crash of the
// process names it: run it as a program of its own. Needs dist/.
import { parseCheckpoint } from 'lstm-wasm/pytorch';
import { ModelError, parseSafetensors, parseSafetensorsShards } from 'lstm-wasm/safetensors';
import { largeZip } from './large-files.mjs';
import { int, join, pickle, text, u32 } from './many-of-one.mjs';
import { randomOf } from './random-of.mjs';

const [count = 200, first = 0] = process.argv.slice(2).map(Number);
/** Sizes that a place may have: none, usual, prime, and far beyond any memory. */
const SIZES = [0, 0, 1, 1, 2, 3, 4, 7, 8, 97, 4099, 2 ** 16, 2 ** 20, 2 ** 24, 2 ** 28, 2 ** 31 - 1];
/** Elements of a storage. */
const STORED = [0, 1, 2, 7, 97, 256, 4099];
const NAMES = ['', '.', '__proto__', 'a.b', '\u00e4', '\u{1f600}', 'k'.repeat(1000)];
const product = (dims) => dims.reduce((a, b) => a * b, 1);

/** What a file holds: reads it, and gives what is wrong with the result. */
function absurdSafetensors(random, pick, isSharded) {
  const shards = isSharded ? 1 + Math.floor(random() * 20) : 1;
  const weightMap = {};
  const files = Array.from({ length: shards }, (_, shard) => {
    const header = random() < 0.3 ? { __metadata__: { [pick(NAMES)]: 'v'.repeat(pick(STORED)) } } : {};
    const parts = [];
    let end = 0;
    for (let i = pick([0, 1, 1, 3, 50]); i > 0; i--) {
      const dims = Array.from({ length: pick([0, 1, 2, 4, 9, 100]) }, () => pick(SIZES));
      // beside a 0 any size may stand, as long as those before it have a product below 2^64; else the elements are in the file
      while (dims.findIndex((_, k) => product(dims.slice(0, k + 1)) > (dims.includes(0) ? 2 ** 62 : 4099)) >= 0) {
        dims[dims.indexOf(Math.max(...dims))] = 1;
      }
      const name = `${pick(NAMES)}${shard}.${i}`;
      header[name] = { dtype: 'U8', shape: dims, data_offsets: [end, end + product(dims)] };
      weightMap[name] = `${shard}`;
      parts.push(Buffer.alloc(product(dims), i));
      end += product(dims);
    }
    const json = Buffer.from(JSON.stringify(header));
    return join(u32(json.length), u32(0), json, ...parts);
  });
  const named = Object.fromEntries(files.map((file, i) => [`${i}`, file]));
  const used = new Set(Object.values(weightMap));
  const given = Object.fromEntries(Object.entries(named).filter(([name]) => used.has(name)));
  return {
    what: isSharded ? 'safetensors in shards' : 'safetensors',
    size: files.reduce((sum, file) => sum + file.length, 0),
    read: () => (isSharded ? parseSafetensorsShards({ weight_map: weightMap }, given) : parseSafetensors(files[0])),
    numberAt: (name) => () => Number(name.split('.').at(-1)),
  };
}

function absurdCheckpoint(random, pick) {
  // the writer gives every entry the same bytes
  const size = pick(STORED);
  const stored = Array.from({ length: pick([1, 1, 2, 30]) }, () => size);
  // bytes that tell where they are
  const bytes = Buffer.alloc(size).map((_, i) => (i * 31) % 251);
  const long = (value) => join('\x8a\x08', u32(value % 2 ** 32), u32(Math.floor(value / 2 ** 32)));
  const tupleOf = (sizes) => join('(', ...sizes.map(long), 't');
  const views = new Map();
  const isTied = random() < 0.3;
  const tensorOf = (name) => {
    const key = Math.floor(random() * stored.length);
    const rank = pick([0, 1, 2, 3, 9, 64]);
    const dims = Array.from({ length: rank }, () => pick(SIZES));
    const isEmpty = product(dims) === 0;
    const strides = dims.map(() => (isEmpty ? pick([...SIZES, 2 ** 53 - 1]) : 0));
    // steps through the storage in any order of the dimensions, each only as far as it reaches; other dimensions repeat
    let reached = 1;
    for (const i of isEmpty ? [] : [...dims.keys()].sort(() => random() - 0.5)) {
      if (random() < 0.4 || reached * dims[i] > stored[key]) {
        if (random() < 0.7) dims[i] = pick([1, 2]);
        continue;
      }
      strides[i] = reached;
      reached *= dims[i];
    }
    // what repeats may be far beyond any memory, but has to be a number
    for (let i = 0; product(dims) >= 2 ** 53; i++) if (!strides[i] && !isEmpty) dims[i] = 1;
    const offset = Math.floor(random() * (stored[key] - reached + 1));
    if (isEmpty || (stored[key] >= reached && offset >= 0)) {
      const at = isEmpty ? Math.floor(random() * (stored[key] + 1)) : offset;
      views.set(name, { dims, strides, offset: at });
      return view(key, at, dims, strides);
    }
    views.set(name, { dims: [0, 2 ** 31 - 1], strides: [2 ** 53 - 1, 0], offset: 0 });
    return view(key, 0, [0, 2 ** 31 - 1], [2 ** 53 - 1, 0]);
  };
  const view = (key, offset, dims, strides) => {
    const storage = join(
      '(',
      text('storage'),
      'ctorch\nByteStorage\n',
      text(`${key}`),
      text('cpu'),
      int(stored[key]),
      'tQ',
    );
    const args = join('(', storage, int(offset), tupleOf(dims), tupleOf(strides), '\x89ccollections\nOrderedDict\n)Rt');
    return join('ctorch._utils\n_rebuild_tensor_v2\n', args, 'R');
  };
  const entries = Array.from({ length: pick([0, 1, 1, 3, 1000]) }, (_, i) => {
    const name = `${pick(NAMES)}${i}`;
    const shown = join('X', u32(Buffer.byteLength(name)), Buffer.from(name));
    if (!isTied || i === 0) return join(shown, tensorOf(name), isTied ? 'q\x00' : '');
    views.set(name, views.values().next().value);
    return join(shown, 'h\x00');
  });
  const folder = largeZip(
    pickle(join('}(', ...entries, 'u')),
    stored.map((_, key) => `a/data/${key}`),
    bytes,
  );
  return {
    what: 'a checkpoint',
    size: folder.length,
    read: () => parseCheckpoint(folder),
    numberAt(name) {
      const { dims, strides, offset } = views.get(name);
      return (index) => {
        let at = offset;
        let rest = index;
        for (let i = dims.length - 1; i >= 0; i--) {
          at += (rest % dims[i]) * strides[i];
          rest = Math.floor(rest / dims[i]);
        }
        return bytes[at];
      };
    },
  };
}

/** Says what is wrong with tensors that were read from a file of `size` bytes; '' if nothing is. */
function check(tensors, size, numberAt) {
  const arrays = new Set([...tensors.values()].map(({ data }) => data));
  const bytes = [...arrays].reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (bytes > 3 * size + 2 ** 23) return `${bytes} bytes of tensors`;
  for (const [name, { data, dims }] of tensors) {
    if (data.length !== product(dims)) return `${data.length} elements for [${dims}] of ${name}`;
    const value = numberAt(name);
    for (let i = 0; i < data.length; i += Math.ceil(data.length / 20)) {
      if (data[i] !== value(i)) return `${data[i]} at ${i} of ${name}, expected ${value(i)}`;
    }
  }
  return '';
}

const outcomes = new Map();
for (let index = first; index < first + count; index++) {
  process.stderr.write(`${index}\n`);
  const random = randomOf(index);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const kind = index % 3;
  const { what, size, read, numberAt } = kind
    ? absurdSafetensors(random, pick, kind === 1)
    : absurdCheckpoint(random, pick);
  const start = process.cpuUsage();
  let outcome = 'read';
  let tensors = new Map();
  try {
    tensors = read();
  } catch (error) {
    outcome = error instanceof ModelError ? error.code : `${error.name}: ${error.message}`;
    // whatever is valid may be too large, and nothing else
    if (outcome !== 'too-large') console.log(`${index} (${what}): ${outcome}: ${error.message}`);
  }
  const { user, system } = process.cpuUsage(start);
  const milliseconds = (user + system) / 1000;
  if (milliseconds > 1000) console.log(`${index} (${what}): ${size} bytes took ${Math.round(milliseconds)} ms`);
  const { arrayBuffers } = process.memoryUsage();
  if (arrayBuffers > 2 ** 28) console.log(`${index} (${what}): ${arrayBuffers} bytes of arrays`);
  const wrong = check(tensors, size, numberAt);
  if (wrong) console.log(`${index} (${what}): ${wrong}`);
  const key = `${what} ${outcome}`;
  outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
}
console.error(JSON.stringify(Object.fromEntries(outcomes)));
