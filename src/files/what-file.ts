import { ModelError } from '../base/errors.ts';
import { describe } from '../base/tensor.ts';

// Tells files that a reader was given in place of its own, and what to do then: servers answer with pages, git with pointers.

// called, and not joined in place: bundlers leave out a table of calls that nobody reads, but no template
const readWith = (door: string, given = '') => `${given}read it with lstm-wasm/${door}`;
const PAGE = 'the server answered with a page in place of the file, so check its address';
const CONVERT = 'convert the model first';
const UNPACK = 'unpack it first';

/** Bytes of a file that are looked at. */
const START = 4096;
/** Characters that a text has at least: fewer may be anything. */
const SHORTEST = 8;
/** Characters of a text that a message shows. */
const SHOWN = 48;

/** How a file begins, with bytes as characters of Latin-1; what it is; and what to do with it. */
type Kind = readonly [start: RegExp, what: string, advice: string];

/** The first that matches counts. A zip file is looked at up to the end of its first entry's name. */
const KINDS: readonly Kind[] = [
  [/^$/, 'an empty file', 'check that its download or upload was complete'],
  // a header's size, of which the upper half is 0, and the header, which is JSON; first, since a size may be the beginning of a pickle or another format
  [/^.{4}\0{4}\{/s, 'a safetensors file', readWith('safetensors')],
  [/^version https.{3}git-lfs/, 'a Git LFS pointer', 'fetch the file itself, with "git lfs pull"'],
  [/^\x89HDF\r\n\x1a\n/, 'an HDF5 file', readWith('keras')],
  [/^.{4}ORTM/s, 'a model in the ORT format', 'give the .onnx file that it was made of'],
  [/^.{4}TFL3/s, 'a TensorFlow Lite model', CONVERT],
  [/^GGUF/, 'a GGUF file', CONVERT],
  [/^\x93NUMPY/, 'a NumPy array', CONVERT],
  [/^\0asm/, 'a WebAssembly module', 'give the model'],
  [/^\x1f\x8b\x08/, 'a gzip file', UNPACK],
  [/^\xfd7zXZ\0/, 'an xz file', UNPACK],
  [/^\x28\xb5\x2f\xfd/, 'a zstd file', UNPACK],
  [/^.{257}ustar/s, 'a tar file', UNPACK],
  [
    /^PK\x03\x04.{26}(.*\/)?(data\.pkl|byteorder|\.format_version|version)$/s,
    'a zip file of torch.save',
    readWith('pytorch'),
  ],
  [/^PK\x03\x04.{26}((metadata|config)\.json|model\.weights\.h5)$/s, 'a .keras file', readWith('keras')],
  [/^PK\x03\x04.{26}.*\.npy$/s, 'a zip file of NumPy arrays', CONVERT],
  [
    /^PK\x03\x04/,
    'a zip file',
    'unpack it; a .pt or .pth file is for lstm-wasm/pytorch, a .keras file for lstm-wasm/keras',
  ],
  // the opcode PROTO and a version of the protocol
  [/^\x80[\x02-\x05]/, 'a Python pickle', readWith('pytorch', 'if torch.save wrote it, ')],
  // ir_version, then the tag of the producer, the version, the text, the graph or the operator sets
  [/^\x08[\0-\x1f][\x12\x1a"(2:B]/, 'an ONNX model', readWith('onnx')],
];

/** Those of texts, without a byte order mark and white space at the start. */
const TEXTS: readonly Kind[] = [
  [/^<(!doctype html|html|head|body|!--|script)/i, 'an HTML page', PAGE],
  [/^<(\?xml|[a-z]+[\s>])/i, 'an XML document', PAGE],
  [
    /^\{\s*(?=").*"weight_map"/s,
    'JSON, an index of shards',
    'read each of the files that it names, and put their tensors together',
  ],
  [
    /^\{\s*(?=").*"(modelTopology|weightsManifest)"/s,
    'JSON, a model of TensorFlow.js',
    readWith('keras, together with its weights'),
  ],
  [/^(\{\s*("|\}|$)|\[\s*[[{"\d\]-])/, 'JSON', 'give the model file itself'],
];

/**
 * Reads a file with `read`, and says what the file is if that refuses it and its first bytes tell another kind.
 * @param own kinds, as the table names them, whose errors stay as they are
 * @throws ModelError with the code and details that `read` gave
 */
export function explainRefusal<T>(who: string, bytes: Uint8Array, own: readonly string[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const [what, advice] = tell(bytes);
    if (what === undefined || own.includes(what)) throw error;
    throw new ModelError(`${who}: this is ${what}: ${advice}`, error as ModelError);
  }
}

/** Names the kind of a file, as the table does: 'an HTML page'; undefined if its first bytes do not tell. */
export function describeFile(bytes: Uint8Array): string | undefined {
  return tell(bytes)[0];
}

/** Gives what a file is, in a few words, and what to do; nothing if its first bytes do not tell. */
function tell(bytes: Uint8Array): readonly string[] {
  const whole = String.fromCharCode(...bytes.subarray(0, START));
  const nameLength = bytes[26]! + 256 * bytes[27]! || 0;
  const start = whole.startsWith('PK\x03\x04') ? whole.slice(0, 30 + nameLength) : whole;
  const text = whole.replace(/^\xef\xbb\xbf/, '').trimStart();
  const kind = KINDS.find(([pattern]) => pattern.test(start)) ?? TEXTS.find(([pattern]) => pattern.test(text));
  if (kind) return kind.slice(1) as string[];
  if (text.length < SHORTEST || !/^[\s\x20-\x7e]*$/.test(text.slice(0, 256))) return [];
  const shown = describe(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
  return [`a text that begins with ${shown}`, 'check where it comes from'];
}
