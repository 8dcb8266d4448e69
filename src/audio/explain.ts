import { ModelError } from '../base/errors.ts';
import { describe, tag, wrongType } from '../base/tensor.ts';
import { encodeUtf8 } from '../files/utf8.ts';
import { describeFile, explainRefusal } from '../files/what-file.ts';
import { Field } from './field.ts';
import type { AudioModelParts } from './model.ts';

// Explains what is no model of the reader: a path, bytes, another kind of file, a model of another reader.

/** A reader as messages name it, its function and files, and the fields that tell those. */
export type Reader = readonly [who: string, name: string, what: string, fields: readonly string[]];

const READERS: readonly Reader[] = [
  ['NAM', 'loadNam', 'a model of Neural Amp Modeler', ['architecture', 'config']],
  ['GuitarML', 'loadGuitarML', 'a model of GuitarML', ['model_data', 'state_dict']],
  ['RTNeural', 'loadRTNeural', 'a model in the JSON of RTNeural', ['in_shape', 'layers']],
];

const STATE_DICT: Reader = ['RTNeural', 'loadRTNeural', 'a PyTorch state dict', []];

/** Characters of a text that are looked at. */
const START = 4096;

/** Matches the name of a file or an address, in place of a file's text. */
const PATH = /^(\.{0,2}[/\\]|[a-z]:[/\\]|~\/|[a-z]+:\/\/)\S[^\n{[<"]*$|^[^\s{[<"][^\n{[<"]*\.[a-z]\w{0,9}$/i;

/**
 * Reads the model that a caller gave, as its text or as an object.
 * @param any whether `read` takes the models of all readers
 * @throws ModelError that says what else it is, if it is told
 */
export function readEffect(
  who: string,
  read: (who: string, file: Field) => AudioModelParts,
  json: unknown,
  any = false,
): AudioModelParts {
  if (typeof json !== 'string') {
    const bytes = ArrayBuffer.isView(json) || tag(json) === 'ArrayBuffer' ? '; decode bytes as UTF-8 first' : '';
    if (tag(json) !== 'Object') throw wrongType(who, 'json', `an object or its text${bytes}`, json);
    return readField(who, read, json as object, any);
  }
  const start = encodeUtf8(json.slice(0, START));
  const what = describeFile(start) ?? '';
  // what begins like JSON stays with the place of its error
  const own = /^\s*[{[]/.test(json) && /^(JSON$|a text)/.test(what) ? [what] : [];
  try {
    return explainRefusal(who, start, own, () => readField(who, read, json, any));
  } catch (error) {
    const reason = error instanceof ModelError ? notText(json, what) : undefined;
    if (reason === undefined) throw error;
    throw new ModelError(`${who}: ${reason}`, error as ModelError);
  }
}

/** Says what a string is that is no file's text. @param what what its first bytes tell; '' if they do not */
function notText(json: string, what: string): string | undefined {
  if (json.length < START && PATH.test(json)) {
    return `${describe(json)} is a path or an address, which is not opened: read the file first, and give its text`;
  }
  const binary = what === '' && /[^\P{Cc}\s]|\ufffd/u.test(json.slice(0, 256)) && !/^\s*[{[]/.test(json);
  return binary ? 'this is a binary file, read as text: give the text of a JSON file' : undefined;
}

function readField(
  who: string,
  read: (who: string, file: Field) => AudioModelParts,
  json: string | object,
  any: boolean,
): AudioModelParts {
  const file = Field.read(who, json);
  try {
    return read(who, file);
  } catch (error) {
    const other = error instanceof ModelError && file.isObject && !any ? readerOf(file) : undefined;
    if (!other || other[0] === who) throw error;
    throw new ModelError(`${who}: this is ${other[2]}: read it with ${other[1]}`, error as ModelError);
  }
}

/** Tells by the fields of a file which reader it is for. */
export function readerOf(file: Field): Reader | undefined {
  const known = READERS.find(([, , , names]) => names.every((name) => file.has(name)));
  return known ?? (file.keys().some((key) => key.endsWith('weight_ih_l0')) ? STATE_DICT : undefined);
}
