// Damages ONNX files with weights in a second file where it hurts: the places, lengths and names of the data, the second file itself
// and the name that it is given by. Some mutants have the model damaged as others are.
import { lists, mutateOnnx, read, write } from './fuzz-onnx.mjs';
import { pick } from './mutants.mjs';

/** The fields of a TensorProto that say where its data are, and those of an entry in them. */
const [EXTERNAL_DATA, DATA_LOCATION] = [13, 14];
const [KEY, VALUE] = [1, 2];

const KEYS = ['location', 'offset', 'length', 'checksum', 'Offset', '', '__proto__', 'x'.repeat(300)];
const NUMBERS = [
  '0',
  '1',
  '3',
  '4',
  '64',
  '575',
  '576',
  '577',
  '65536',
  '2147483648',
  '4294967296',
  '9007199254740991',
].concat([
  '9007199254740993',
  '18446744073709551615',
  '-1',
  '-0',
  '00',
  '0x10',
  '1e2',
  '1.5',
  ' 4',
  '4 ',
  '\u0664',
  '',
  'NaN',
  '9'.repeat(400),
]);
const NAMES = [
  'model.onnx.data',
  './model.onnx.data',
  '././model.onnx.data',
  '../model.onnx.data',
  'model.onnx.data/',
].concat([
  'MODEL.ONNX.DATA',
  '/etc/hostname',
  'file:///etc/hostname',
  'https://example.com/model.onnx.data',
  '.',
  '..',
  '',
  '__proto__',
  'constructor',
  'toString',
  'model.onnx.data\u0000',
  '\ud83d\ude00',
  'x'.repeat(3000),
]);

/**
 * A damaged copy of a model and its data.
 * @param {{ model: Uint8Array, data: Uint8Array, name: Uint8Array }} seed `name` in UTF-8
 * @param {(n: number) => number} random
 */
export function mutateExternal({ model, data, name }, random) {
  const encode = (text) => new TextEncoder().encode(text);
  if (random(8) === 0) return { model: mutateOnnx(model, random), data, name };
  const fields = read(new Uint8Array(model), 'model');
  for (let left = 1 + random(3); left > 0; left--) {
    const what = random(12);
    if (what === 0)
      data = random(2) ? data.subarray(0, random(data.length + 1)) : new Uint8Array(2 * data.length + random(9));
    else if (what === 1) name = encode(pick(random, NAMES));
    else changeEntries(fields, random, encode);
  }
  return { model: write(fields), data, name };
}

/** One change of the entries of a tensor. */
function changeEntries(fields, random, encode) {
  const tensors = lists(fields).filter((list) => list.some(({ number }) => number === EXTERNAL_DATA));
  if (tensors.length === 0) return;
  const tensor = pick(random, tensors);
  const entries = tensor.filter(({ number }) => number === EXTERNAL_DATA);
  const entry = pick(random, entries);
  const part = (number) => entry.value.find((field) => field.number === number);
  const what = random(8);
  if (what === 0) tensor.splice(tensor.indexOf(entry), 1);
  else if (what === 1) tensor.push(structuredClone(entry));
  else if (what === 2) {
    // all tensors read the same bytes
    for (const other of tensors) other.splice(0, other.length, ...structuredClone(tensor));
  } else if (what === 3) {
    const location = tensor.find(({ number }) => number === DATA_LOCATION);
    if (location) location.value = BigInt(random(4));
  } else if (what === 4) {
    if (part(KEY)) part(KEY).value = encode(pick(random, KEYS));
  } else if (part(VALUE)) {
    const isName = new TextDecoder().decode(part(KEY)?.value) === 'location';
    part(VALUE).value = encode(pick(random, isName === random(8) > 0 ? NAMES : NUMBERS));
  }
}

/** The option that gives the data by their name. */
export function externalData({ data, name }) {
  return new Map([[new TextDecoder().decode(name), data]]);
}
