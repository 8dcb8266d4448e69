import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// Refusing a large file takes memory for at most 3 times the file and 8 MiB, and little time. Each file has a process
// of its own with the built package: what one of them left behind is not to be there for the next.

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * For programs: `measure` prints how much memory a call took at its peak, in bytes beyond three times the file, and its time as
 * a multiple of a loop over as many bytes.
 */
const TOOLS = `
  import { readFileSync } from 'node:fs';
  import { ModelError } from 'lstm-wasm';
  import { loadGuitarML, loadNam, loadRTNeural } from 'lstm-wasm/audio';
  import { loadKeras } from 'lstm-wasm/keras';
  import { parseCheckpoint } from 'lstm-wasm/pytorch';
  import { parseSafetensors } from 'lstm-wasm/safetensors';
  const SIZE = 32e6;
  const crc = (bytes) => {
    const table = Int32Array.from({ length: 256 }, (_, n) => {
      for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
      return n;
    });
    let c = -1;
    for (let i = 0; i < bytes.length; i++) c = table[(c ^ bytes[i]) & 255] ^ (c >>> 8);
    return ~c >>> 0;
  };
  // a zip of empty entries behind data.pkl, all of it in one buffer
  const zip = (pickle, names = []) => {
    const entries = [['a/data.pkl', pickle], ...names.map((name) => [name, Buffer.alloc(0)])];
    const size = entries.reduce((sum, [name, data]) => sum + 76 + 2 * name.length + data.length, 22);
    const file = Buffer.alloc(size);
    const offsets = [];
    let at = 0;
    for (const [name, data] of entries) {
      offsets.push(at);
      file.writeUInt32LE(0x04034b50, at);
      file.writeUInt32LE(crc(data), at + 14);
      file.writeUInt32LE(data.length, at + 18);
      file.writeUInt32LE(data.length, at + 22);
      file.writeUInt16LE(name.length, at + 26);
      at += 30 + file.write(name, at + 30);
      at += data.copy(file, at);
    }
    const begin = at;
    for (const [i, [name, data]] of entries.entries()) {
      file.writeUInt32LE(0x02014b50, at);
      file.writeUInt32LE(crc(data), at + 16);
      file.writeUInt32LE(data.length, at + 20);
      file.writeUInt32LE(data.length, at + 24);
      file.writeUInt16LE(name.length, at + 28);
      file.writeUInt32LE(offsets[i], at + 42);
      at += 46 + file.write(name, at + 46);
    }
    file.writeUInt32LE(0x06054b50, at);
    file.writeUInt16LE(Math.min(65535, entries.length), at + 8);
    file.writeUInt16LE(Math.min(65535, entries.length), at + 10);
    file.writeUInt32LE(at - begin, at + 12);
    file.writeUInt32LE(begin, at + 16);
    return file;
  };
  const fill = (start, part) => {
    const buffer = Buffer.alloc(SIZE);
    return buffer.fill(part, buffer.write(start, 'latin1'), 'latin1');
  };
  // the header of a safetensors file
  const header = (start, part) => {
    const file = fill('12345678' + start, part);
    file.writeBigUInt64LE(BigInt(SIZE - 8));
    return file;
  };
  // an HDF5 file whose root has so many links, each to the root: superblock, object header, B-tree, heap, tables of 50,000
  const links = (count) => {
    const tables = Math.ceil(count / 50_000);
    const [tree, heap, names] = [136, 1000, 1100];
    const first = names + 8 * count;
    const at = (table) => first + 50_000 * 40 * table + 8 * table;
    const file = Buffer.alloc(at(tables));
    file.set([0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10]);
    file.set([8, 8], 13);
    file.writeBigUInt64LE(BigInt(file.length), 40);
    file.writeBigUInt64LE(96n, 64);
    // one message of 16 bytes, the symbol table
    file.set([1, 0, 1, 0, 1, 0, 0, 0, 24], 96);
    file.set([17, 0, 16], 112);
    file.writeBigUInt64LE(BigInt(tree), 120);
    file.writeBigUInt64LE(BigInt(heap), 128);
    file.write('TREE', tree);
    file.writeUInt16LE(tables, tree + 6);
    file.write('HEAP', heap);
    file.writeBigUInt64LE(BigInt(8 * count), heap + 8);
    file.writeBigUInt64LE(BigInt(names), heap + 24);
    for (let i = 0; i < count; i++) {
      file.write(i.toString(36), names + 8 * i);
      const entry = at(Math.floor(i / 50_000)) + 8 + 40 * (i % 50_000);
      file.writeBigUInt64LE(BigInt(8 * i), entry);
      file.writeBigUInt64LE(96n, entry + 8);
    }
    for (let table = 0; table < tables; table++) {
      file.writeBigUInt64LE(BigInt(at(table)), tree + 32 + 16 * table);
      file.write('SNOD', at(table));
      file[at(table) + 4] = 1;
      file.writeUInt16LE(Math.min(50_000, count - 50_000 * table), at(table) + 6);
    }
    return file;
  };
  const tfjs = (modelJson) => loadKeras({ modelJson, weights: new Uint8Array(0) });
  const measure = (load, file) => {
    const before = process.resourceUsage().maxRSS;
    const start = process.cpuUsage();
    let error;
    try {
      load(file);
    } catch (thrown) {
      error = thrown;
    }
    const took = process.cpuUsage(start).user;
    const grown = 1024 * (process.resourceUsage().maxRSS - before);
    // a byte at a time, as a reader does, over as many bytes
    const beside = process.cpuUsage();
    crc(Buffer.alloc(SIZE));
    const yardsticks = took / process.cpuUsage(beside).user;
    const refused = error instanceof ModelError ? error.code : String(error);
    console.log(JSON.stringify({ refused, beyond: grown - 3 * file.length, yardsticks, grown }));
  };
`;

const pickle = (start: string, part: string) => `measure(parseCheckpoint, zip(fill(${start}, ${part})))`;
const header = (start: string, part: string) => `measure(parseSafetensors, header(${start}, ${part}))`;
const text = (load: string, start: string, part: string) =>
  `measure(${load}, fill(${start}, ${part}).toString('latin1'))`;

test.each([
  ['marks', pickle(`'('`, `'('`)],
  ['None', pickle(`'N'`, `'N'`)],
  ['dicts', pickle(`'}'`, `'}'`)],
  ['lists', pickle(`']'`, `']'`)],
  ['tuples in tuples', pickle(`')'`, `'\\x85'`)],
  ['dicts in the memo', pickle(`'}'`, `'}\\x940'`)],
  ['a list of None', pickle(`']'`, `'(NNNNNNNNNNNNNNNe'`)],
  ['integers', pickle(`''`, `'\\x8a\\x08\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x7f'`)],
  ['short strings', pickle(`''`, `'\\x8c\\x01a'`)],
  ['one string', pickle(`'X' + '\\x00\\x00\\xe8\\x01'`, `'a'`)],
  ['one string of three-byte characters', pickle(`'X' + '\\x00\\x00\\xe8\\x01'`, `'\\xe2\\x82\\xac'`)],
  ['one name of a global', pickle(`'c'`, `'a'`)],
  ['one integer in digits', pickle(`'I'`, `'7'`)],
  ['globals', pickle(`''`, `'ctorch\\nFloatStorage\\n'`)],
  [
    'entries of the zip',
    `measure(parseCheckpoint, zip(Buffer.from('N.'), Array.from({ length: 300_000 }, (_, i) => 'a/' + i)))`,
  ],
  ['arrays in arrays', text('loadNam', `'{"weights":['`, `'['`)],
  ['an array of 0', text('loadNam', `'{"weights":[0'`, `',0'`)],
  ['an array of numbers', text('loadNam', `'{"weights":[0'`, `',0.123456789'`)],
  ['an array of empty arrays', text('loadRTNeural', `'{"layers":[0'`, `',[]'`)],
  ['an array of empty objects', text('loadRTNeural', `'{"layers":[0'`, `',{}'`)],
  ['an array of words', text('loadGuitarML', `'{"layers":[0'`, `',null'`)],
  ['one string of JSON', text('loadGuitarML', `'{"'`, `'k'`)],
  ['white space', text('loadNam', `'{'`, `' '`)],
  ['fields of tfjs weights', text('tfjs', `'{"weightsManifest":[{"weights":[0'`, `',{}'`)],
  ['layers of a tfjs model', text('tfjs', `'{"modelTopology":{"config":{"layers":[0'`, `',{"config":{}}'`)],
  ['numbers of a tfjs model', text('tfjs', `'{"modelTopology":[0'`, `',0'`)],
  ['arrays in arrays of a tfjs model', text('tfjs', `'{"modelTopology":'`, `'['`)],
  ['links of an HDF5 file', 'measure((h5) => loadKeras({ h5 }), links(600_000))'],
  ['safetensors entries', header(`'{'`, `'"":{"dtype":"F4","shape":[0],"data_offsets":[0,0]},'`)],
  ['safetensors metadata', header(`'{"__metadata__":{'`, `'"":"",'`)],
  ['one safetensors name', header(`'{"'`, `'k'`)],
  ['one safetensors name of escapes', header(`'{"'`, `'\\\\u0041'`)],
  ['safetensors white space', header(`'{'`, `' '`)],
  ['fields of a safetensors entry', header(`'{"x":{'`, `'"a":1,'`)],
  ['objects in objects of safetensors', header(`'{"x":'`, `'{"a":'`)],
])('refusing 32 MB of %s', (_, program) => {
  // with a small nursery: garbage that V8 has not yet looked at is not what reading takes, and comes and goes by 16 MB
  const args = ['--max-semi-space-size=1', '--input-type=module', '--eval', TOOLS + program];
  const result = JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }));
  expect(result.refused).toMatch(/^[a-z0-9-]+$/);
  expect(result.beyond).toBeLessThan(2 ** 23);
  // measured: 1 to 12; whatever looks at bytes again and again takes thousands
  expect(result.yardsticks).toBeLessThan(30);
});
