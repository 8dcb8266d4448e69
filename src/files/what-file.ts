import { ModelError } from '../base/errors.ts';
import { describe } from '../base/tensor.ts';

// What a file is that a reader was given in place of its own, and what to do then: servers answer with pages, git with pointers.

/** A kind of file: what it is, and what to do with it. */
interface Kind {
  readonly what: string;
  readonly advice: string;
}

const kind = (what: string, advice: string): Kind => ({ what, advice });

const READ_WITH = (door: string) => `read it with lstm-wasm/${door}`;
const PAGE = 'the server answered with a page in place of the file, so check its address';
const CONVERT = 'convert the model first';
const UNPACK = 'unpack it first';

/** Files that begin with the same bytes at the same place; bytes are given as characters of Latin-1. */
const SIGNATURES: readonly (readonly [at: number, bytes: string, kind: Kind])[] = [
  [0, 'version https://git-lfs', kind('a Git LFS pointer', 'fetch the file itself, with "git lfs pull"')],
  [0, '\x89HDF\r\n\x1a\n', kind('an HDF5 file', READ_WITH('keras'))],
  [4, 'ORTM', kind('a model in the ORT format', 'give the .onnx file that it was made of')],
  [4, 'TFL3', kind('a TensorFlow Lite model', CONVERT)],
  [0, 'GGUF', kind('a GGUF file', CONVERT)],
  [0, '\x93NUMPY', kind('a NumPy array', CONVERT)],
  [0, '\0asm', kind('a WebAssembly module', 'give the model')],
  [0, '\x1f\x8b\x08', kind('a gzip file', UNPACK)],
  [0, '\xfd7zXZ\0', kind('an xz file', UNPACK)],
  [0, '\x28\xb5\x2f\xfd', kind('a zstd file', UNPACK)],
  [257, 'ustar', kind('a tar file', UNPACK)],
];

const PICKLE = kind('a Python pickle', `if torch.save wrote it, ${READ_WITH('pytorch')}`);
const EMPTY = kind('an empty file', 'check that its download or upload was complete');

/** Tags of the fields of a ModelProto that writers put second. */
const ONNX_FIELDS = [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42];

/** Characters that a text has at least: fewer may be anything. */
const SHORTEST = 8;
/** Characters of a text that a message shows. */
const SHOWN = 48;

/** Names the kind of a file in two or three words: 'an HTML page', 'a Git LFS pointer'; undefined if its first bytes do not tell. */
export function describeFile(bytes: Uint8Array): string | undefined {
  return kindOf(bytes)?.what;
}

/** Says what a file is and what to do: 'this is an HTML page: ...'; undefined if its first bytes do not tell. */
export function explainFile(bytes: Uint8Array): string | undefined {
  const found = kindOf(bytes);
  return found && `this is ${found.what}: ${found.advice}`;
}

/**
 * Reads a file with `read`, and says what the file is if that refuses it and its first bytes tell another kind.
 * @param own kinds, as describeFile() names them, whose errors stay as they are
 * @throws ModelError with the code and details that `read` gave
 */
export function explainRefusal<T>(who: string, bytes: Uint8Array, own: readonly string[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    const found = error instanceof ModelError ? kindOf(bytes) : undefined;
    if (!found || own.includes(found.what)) throw error;
    throw new ModelError(`${who}: this is ${found.what}: ${found.advice}`, error as ModelError);
  }
}

function kindOf(bytes: Uint8Array): Kind | undefined {
  if (bytes.length === 0) return EMPTY;
  const start = latin1(bytes, 0, 512);
  const known = SIGNATURES.find(([at, signature]) => start.startsWith(signature, at));
  if (known) return known[2];
  if (start.startsWith('PK\x03\x04')) return kindOfZip(start);
  const [first, second = 0, third = 0] = bytes;
  // the opcode PROTO and a version of the protocol
  if (first === 0x80 && second >= 2 && second <= 5) return PICKLE;
  // a header's size, of which the upper half is 0, and the header, which is JSON
  if (start[8] === '{' && start.slice(4, 8) === '\0\0\0\0') return kind('a safetensors file', READ_WITH('safetensors'));
  // ir_version, then the producer, the version, the text, the graph or the operator sets
  if (first === 8 && second < 32 && ONNX_FIELDS.includes(third)) return kind('an ONNX model', READ_WITH('onnx'));
  return kindOfText(bytes);
}

/** Tells archives apart by the name of their first entry. */
function kindOfZip(start: string): Kind {
  const length = start.charCodeAt(26) + 256 * start.charCodeAt(27);
  const name = start.slice(30, 30 + length);
  if (/(^|\/)(data\.pkl|byteorder|\.format_version|version)$/.test(name)) {
    return kind('a zip file of torch.save', READ_WITH('pytorch'));
  }
  if (/^(metadata|config)\.json$|^model\.weights\.h5$/.test(name)) return kind('a .keras file', READ_WITH('keras'));
  if (name.endsWith('.npy')) return kind('a zip file of NumPy arrays', CONVERT);
  return kind(
    'a zip file',
    `unpack it; a .pt or .pth file is for lstm-wasm/pytorch, a .keras file for lstm-wasm/keras`,
  );
}

function kindOfText(bytes: Uint8Array): Kind | undefined {
  // a byte order mark of UTF-8
  const text = latin1(bytes, 0, 4096)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  if (/^<(!doctype html|html|head|body|!--|script)/i.test(text)) return kind('an HTML page', PAGE);
  if (/^<\?xml|^<[a-z]+[\s>]/i.test(text)) return kind('an XML document', PAGE);
  if (/^(\{\s*("|\}|$)|\[\s*[[{"\d\]-])/.test(text)) return kindOfJson(text);
  if (text.length < SHORTEST || !/^[\s\x20-\x7e]*$/.test(text.slice(0, 256))) return undefined;
  const shown = describe(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
  return kind(`a text that begins with ${shown}`, 'check where it comes from');
}

function kindOfJson(text: string): Kind {
  if (/"weight_map"/.test(text)) {
    return kind('JSON, an index of shards', 'read each of the files that it names, and put their tensors together');
  }
  if (/"(modelTopology|weightsManifest)"/.test(text)) {
    return kind('JSON, a model of TensorFlow.js', `${READ_WITH('keras')}, together with its weights`);
  }
  return kind('JSON', 'give the model file itself');
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
