// Mutants of valid files: one to three changes of their structure, written so that the changes get past checksums and lengths, or
// a few bytes changed. Everything comes from a random generator with a seed.

/** mulberry32: an integer below `n`. */
export function makeRandom(state) {
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

export const pick = (random, list) => list[random(list.length)];

/** Changes words, mostly with the checksum made right again, and the length. */
export function mutateState(seed, random) {
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
export function mutateTfjs({ json, weights }, random) {
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

export function mutateHdf5(seed, random) {
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
export function mutateArchive(seed, random) {
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

export function mutateJson(seed, random) {
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

export function mutateSafetensors(seed, random) {
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

/** Changes data of entries, with checksums made right again, or the headers of the zip; of a file before torch 1.6, anything. */
export function mutateCheckpoint(seed, random) {
  const file = Buffer.from(seed);
  if (file[0] === 0x80) {
    // behind the magic number
    for (let n = 1 + random(3); n > 0; n--) changeBytes(file, 15, file.length, random);
    return random(20) === 0 ? file.subarray(0, random(file.length)) : file;
  }
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

export function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}
