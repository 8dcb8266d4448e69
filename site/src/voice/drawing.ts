import { LINES } from '../kit/columns.ts';
import { RATE, STEP, UNITS } from './parts.ts';
import { Reading } from './reading.ts';

/** Fetches a drawing that scripts/make-voice.mjs made: what a recording looks like before anybody has loaded the model. */
export async function fetchDrawing(url: string): Promise<Reading> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status}`);
  const stream = response.body.pipeThrough(new DecompressionStream('gzip'));
  return readDrawing(new Uint8Array(await new Response(stream).arrayBuffer()));
}

function readDrawing(bytes: Uint8Array): Reading {
  let at = 4 + new DataView(bytes.buffer).getUint32(0, true);
  const header = new TextDecoder().decode(bytes.subarray(4, at));
  const { steps, columns, limit, lines, wide, shades } = JSON.parse(header) as Record<string, number>;
  const take = (length: number) => {
    at += length;
    return bytes.slice(at - length, at);
  };
  const probabilities = Float32Array.from(new Uint16Array(take(2 * steps!).buffer), (value) => value / 65_535);
  const differences = take(steps! * UNITS);
  const [above, below, order] = [take(steps!), take(steps!), take(UNITS)];
  const cells = new Uint8Array(steps! * UNITS);
  for (let n = 0, value = 0; n < differences.length; n++) {
    value = (value + differences[n]!) & 255;
    cells[(n % steps!) * UNITS + Math.floor(n / steps!)] = value << 3;
  }
  // of 128 samples each, where Peaks has 64
  const buckets = (steps! * STEP * RATE) / 128;
  const peaks = [take(buckets), take(buckets)].map((part) => {
    const values = new Int8Array(part.buffer);
    return Float32Array.from({ length: 2 * buckets }, (_, n) => values[n >> 1]! / 127);
  });
  const width = Math.ceil(columns! / wide!);
  const coarse = take((LINES / lines!) * width);
  const spectrum = new Uint8Array(columns! * LINES);
  for (let n = 0; n < spectrum.length; n++) {
    const [column, line] = [Math.floor(n / LINES / wide!), Math.floor((n % LINES) / lines!)];
    spectrum[n] = 255 * (coarse[line * width + column]! / (shades! - 1)) ** 2;
  }
  const reading = new Reading(steps! * STEP, limit!, new Float32Array(0));
  reading.peaks.addPeaks(peaks[0]!, peaks[1]!);
  reading.add({ samples: new Float32Array(0), probabilities, cells, above, below, spectrum, milliseconds: 0 });
  reading.order = order;
  return reading;
}
