import { readModel } from '../../../../../src/cli/formats.ts';
import type { Model } from '../../../../../src/cli/model.ts';
import { stateDictModel } from '../../../../../src/cli/models/state-dict.ts';

// Files that were dropped, as a model. Nothing is fetched: what a model names is looked for among them.

/** The most bytes that are read at once. Of a larger safetensors file only what is needed is read. */
export const MOST_BYTES = 700e6;

export interface OpenedModel {
  readonly model: Model;
  readonly name: string;
  /** Bytes of all files. */
  readonly bytes: number;
  /** The main file, unless it is one of tensors. */
  readonly main: Uint8Array<ArrayBuffer> | undefined;
  /** Files by name, those beside the main one. */
  readonly beside: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Which of several files is the model, best first. */
const MAINS = [
  /\.index\.json$/i,
  /^model\.json$/i,
  /\.(onnx|keras|nam)$/i,
  /\.json$/i,
  /\.(safetensors|pt|pth|ckpt|h5|hdf5)$/i,
];

/** Finds the file that says what the others are. */
export function mainOf(names: readonly string[]): number {
  for (const pattern of MAINS) {
    const at = names.findIndex((name) => pattern.test(name));
    if (at >= 0) return at;
  }
  return 0;
}

/** Reads files as one model. @throws CliError or ModelError */
export async function openFiles(files: readonly File[]): Promise<OpenedModel> {
  const main = files[mainOf(files.map(({ name }) => name))]!;
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const start = new Uint8Array(await main.slice(0, 9).arrayBuffer());
  // the size of a header, of which the upper half is 0, and the header, which is JSON
  const isTensors = start.length === 9 && start.subarray(4, 8).every((byte) => byte === 0) && start[8] === 0x7b;
  if (files.length === 1 && isTensors) return openTensors(main);
  if (bytes > MOST_BYTES) {
    throw new Error(
      `It has ${Math.round(bytes / 1e6).toLocaleString('en-US')} MB; this page reads files of up to ${MOST_BYTES / 1e6} MB, and larger ones as safetensors.`,
    );
  }
  const beside = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const file of files) {
    if (file !== main) beside.set(file.name, new Uint8Array(await file.arrayBuffer()));
  }
  return openBytes(main.name, new Uint8Array(await main.arrayBuffer()), beside, bytes);
}

/** Reads bytes as a model, with those of other files by their names. */
export async function openBytes(
  name: string,
  main: Uint8Array<ArrayBuffer>,
  beside: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  bytes = main.length,
): Promise<OpenedModel> {
  const find = (wanted: string) => {
    // a browser tells a file's name without its folder
    const found = beside.get(wanted) ?? beside.get(wanted.slice(wanted.lastIndexOf('/') + 1));
    if (!found) throw new Error(`It needs the file ${JSON.stringify(wanted)} too: drop them together.`);
    return found;
  };
  const h5 = [...beside].find(([other]) => /\.(h5|hdf5)$/i.test(other))?.[1];
  const model = await readModel(name, main, h5 ? { weights: () => h5 } : {}, find);
  return { model, name, bytes, main, beside };
}

/** Opens a file of tensors of any size: its header, and the tensors of its LSTMs and linear layers. */
async function openTensors(file: File): Promise<OpenedModel> {
  const { openSafetensors } = await import('lstm-wasm/safetensors');
  const source = await openSafetensors(file);
  const model = await stateDictModel('safetensors', [], source.tensors, async (names) => {
    const read = await Promise.all(names.map(async (name) => [name, await source.read(name)] as const));
    return new Map(read);
  });
  return { model, name: file.name, bytes: file.size, main: undefined, beside: new Map() };
}
