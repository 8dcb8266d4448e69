import { fetchBytes } from '../../kit/bytes.ts';
import { size } from '../../kit/format.ts';
import { decode } from '../../kit/sound.ts';
import type { Drawing } from './drawing.ts';
import { unpack } from './drawing.ts';
import type { Given } from './types.ts';

// The built-in example: a model and a recording that come with the page.

export const EXAMPLE = 'silero_vad_v5.onnx';
const MODEL = './built/silero_vad_v5.onnx';
const RECORDING = './built/mixed.wav';
const DRAWING = './built/model-drawing.bin';

/** What is on the strip before anything runs. */
export async function loadDrawing(): Promise<Drawing> {
  return unpack((await fetchBytes(DRAWING)).bytes);
}

/** The model as a file, as if it had been dropped. @param onText hears how much has come */
export async function loadExample(onText: (text: string) => void): Promise<File> {
  const { bytes } = await fetchBytes(MODEL, (come, all) => onText(`Loading the model: ${size(come)} of ${size(all)}.`));
  return new File([bytes as Uint8Array<ArrayBuffer>], EXAMPLE);
}

const sounds = new Map<number, Promise<Given>>();

/** The recording at a rate. */
export function loadRecording(rate: number): Promise<Given> {
  const loaded = sounds.get(rate);
  if (loaded) return loaded;
  const loading = fetchBytes(RECORDING).then(async ({ bytes }): Promise<Given> => {
    const { samples } = await decode(bytes.buffer as ArrayBuffer, rate);
    return { kind: 'recording', samples, rate, name: 'Recording' };
  });
  // a load that failed may be tried again
  loading.catch(() => sounds.delete(rate));
  sounds.set(rate, loading);
  return loading;
}

/** A file of inputs that was dropped: sound is decoded, all else is read in the worker. */
export async function loadInput(file: File, rate: number): Promise<Given> {
  if (file.size > MOST_INPUT)
    throw new Error(`${file.name} has ${size(file.size)}; inputs of up to ${size(MOST_INPUT)} are read.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (!/\.(npy|csv|tsv|txt|json)$/i.test(file.name)) {
    const { samples } = await decode(bytes.buffer, rate);
    return { kind: 'sound', samples, rate, name: file.name };
  }
  return { kind: 'file', bytes, name: file.name };
}

const MOST_INPUT = 200e6;
