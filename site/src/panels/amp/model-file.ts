import { size } from '../../kit/format.ts';

/** A file of a model of an amplifier or a pedal. */
export interface AmpFile {
  /** The name that visitors see. */
  readonly name: string;
  readonly text: string;
  readonly bytes: number;
}

/** Larger files are no LSTM that plays sample by sample. */
const LARGEST = 32e6;

/** Whether a file of that name may hold an amp. */
export function isAmpFile(name: string): boolean {
  return /\.(nam|aidax|json)$/i.test(name) && !/^model\.json$/i.test(name);
}

/** Reads a dropped file. @throws Error with a sentence for visitors if it can be none */
export async function readAmpFile(file: File): Promise<AmpFile> {
  if (!isAmpFile(file.name) && !/json|text/.test(file.type)) {
    throw new Error(`${file.name} is no amp: drop a .nam file, or the JSON of RTNeural, AIDA-X or GuitarML.`);
  }
  if (file.size > LARGEST) {
    throw new Error(`${file.name} has ${size(file.size)}: the largest that this panel takes has ${size(LARGEST)}.`);
  }
  return { name: file.name, text: await file.text(), bytes: file.size };
}

/** Says what the file is, as far as its own fields tell: it plays or is refused by the package, whatever stands here. */
export function describe(text: string): { family: string; network: string; rate: string } {
  const file = parse(text);
  const config = object(file.config);
  const data = object(file.model_data);
  const layers = Array.isArray(file.layers) ? file.layers.map(object) : [];
  const rate = Number(file.sample_rate ?? file.samplerate ?? object(file.metadata).samplerate);
  const known = { rate: rate > 0 ? `${rate / 1000} kHz` : 'not in the file' };
  if (typeof file.architecture === 'string') {
    return { family: 'Neural Amp Modeler', network: units(file.architecture, config.hidden_size), ...known };
  }
  if (file.model_data) return { family: 'GuitarML', network: units(data.unit_type, data.hidden_size), ...known };
  const recurrent = layers.filter(({ type }) => type === 'lstm').length;
  const network = recurrent
    ? `${recurrent} LSTM${recurrent > 1 ? 's' : ''} of ${layers.length} layers`
    : 'a state dict';
  return { family: layers.length ? 'RTNeural' : 'PyTorch as JSON', network, ...known };
}

/** The number of knobs that a conditioned model has beside the signal is told by the package; names are in no file. */
export function knobName(k: number): string {
  return `Knob ${k + 1}`;
}

function units(kind: unknown, hidden: unknown): string {
  return typeof hidden === 'number' ? `${kind} of ${hidden} units` : String(kind);
}

function parse(text: string): Record<string, unknown> {
  try {
    return object(JSON.parse(text));
  } catch {
    return {};
  }
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
