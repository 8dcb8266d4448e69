// Files of the panels "home" and "voice", made from what the repository has: recordings, Silero's weights, and drawings of the
// recordings for visitors who have not loaded the model yet. All go to public/built/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { serializeSafetensors } from '../../dist/safetensors.js';
import { readRecording } from '../../examples/recordings.mjs';
import { readModel } from '../../examples/voice-activity/model.mjs';
import { FRAME, OneCaller, RATE, VoiceNetwork } from '../../examples/voice-activity/network.mjs';
import { readWeights } from '../../examples/voice-activity/weights.mjs';

const root = new URL('../', import.meta.url);
const built = new URL('public/built/', root);
const RECORDING = new URL('../test/fixtures/vad/mixed.wav', root);
/** Seconds that the top of the page shows. */
const HOME = 13.44;
/** Samples of a lowest and a highest one: twice as many as in Peaks of the page. */
const EVERY = 128;
/** A drawing's spectrogram has a line for this many of the page's, a column for this many, and this many shades. */
const [LINES, COLUMNS, SHADES] = [4, 2, 8];
/** As of v5 in src/voice/voice.worker.ts. */
const LIMIT = 150;

const { Spectrogram, Effects } = await importPage(
  'export * from "./src/kit/spectrogram.ts"; export * from "./src/voice/effects.ts"',
);

mkdirSync(built, { recursive: true });
for (const model of ['v5', 'v6'])
  write(`silero-${model}.safetensors`, serializeSafetensors(readWeights(readModel(model))));
const bytes = readFileSync(RECORDING);
write('mixed.wav', bytes);
write('mixed-beginning.wav', beginning(bytes, HOME));
const samples = readRecording(bytes);
const sound = samples.subarray(0, Math.floor(samples.length / FRAME) * FRAME);
write('voice-drawing.bin', drawing(sound));
write('home-drawing.bin', drawing(sound.subarray(0, Math.floor((HOME * RATE) / FRAME) * FRAME)));

function write(name, data) {
  writeFileSync(new URL(name, built), data);
  console.log(`${name.padEnd(28)} ${data.length.toLocaleString('en-US').padStart(9)} bytes`);
}

/** Code of the page, which is TypeScript, for use here. */
async function importPage(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root.pathname },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

/** The first seconds of a WAV file of 16-bit samples, mono, with a plain header. */
function beginning(wav, seconds) {
  const length = Math.floor((seconds * RATE) / FRAME) * FRAME * 2;
  const part = Buffer.from(wav.subarray(0, 44 + length));
  part.writeUInt32LE(36 + length, 4);
  part.writeUInt32LE(length, 40);
  return part;
}

/**
 * What the model made of a sound, coarse and small: src/voice/drawing.ts reads it. Arrays of bytes one after another: probabilities
 * (2 a step), cells ([units][steps], differences), units above 1, units below -1, the order of units, lowest and highest samples,
 * spectrogram ([lines][columns]). All compressed.
 */
function drawing(sound) {
  const voice = new OneCaller(new VoiceNetwork(readWeights(readModel('v5'))));
  const steps = sound.length / FRAME;
  const probabilities = new Uint16Array(steps);
  const [above, below] = [new Uint8Array(steps), new Uint8Array(steps)];
  const cells = new Uint8Array(steps * 128);
  const effects = new Effects(128);
  const scale = 127 / Math.asinh(LIMIT);
  for (let step = 0; step < steps; step++) {
    const probability = voice.push(sound.subarray(step * FRAME, (step + 1) * FRAME));
    probabilities[step] = Math.round(65_535 * probability);
    const bytes = Array.from(voice.getState().c, (value) => {
      if (value > 1) above[step]++;
      if (value < -1) below[step]++;
      return 128 + Math.max(-127, Math.min(127, Math.round(scale * Math.asinh(value))));
    });
    effects.add(bytes, probability >= 0.5);
    // 32 shades, in whose middle zero is
    for (const [unit, value] of bytes.entries()) cells[unit * steps + step] = Math.min(31, Math.round(value / 8));
  }
  const spectrogram = new Spectrogram(RATE, sound.length / RATE);
  spectrogram.add(sound);
  const parts = [
    new Uint8Array(probabilities.buffer),
    differences(cells),
    above,
    below,
    effects.order(),
    ...peaks(sound),
    coarse(spectrogram.picture()),
  ];
  const header = Buffer.from(
    JSON.stringify({
      steps,
      columns: spectrogram.picture().columns,
      limit: LIMIT,
      lines: LINES,
      wide: COLUMNS,
      shades: SHADES,
    }),
  );
  return gzipSync(Buffer.concat([Buffer.from(Uint32Array.of(header.length).buffer), header, ...parts]), { level: 9 });
}

/** Each value less the one before, which compresses well. */
function differences(values) {
  return values.map((value, n) => value - (values[n - 1] ?? 0));
}

/** Lowest and highest samples, in 127ths of full scale. */
function peaks(sound) {
  const [low, high] = [new Int8Array(sound.length / EVERY), new Int8Array(sound.length / EVERY)];
  for (let n = 0; n < low.length; n++) {
    const part = sound.subarray(n * EVERY, (n + 1) * EVERY);
    low[n] = Math.round(127 * Math.min(0, ...part));
    high[n] = Math.round(127 * Math.max(0, ...part));
  }
  return [low, high].map((values) => new Uint8Array(values.buffer));
}

/** A spectrogram of fewer lines, columns and shades, [lines][columns]. */
function coarse({ data, lines, columns }) {
  const [height, width] = [lines / LINES, Math.ceil(columns / COLUMNS)];
  const few = new Uint8Array(height * width);
  for (let line = 0; line < height; line++) {
    for (let column = 0; column < width; column++) {
      let [sum, count] = [0, 0];
      for (let x = column * COLUMNS; x < Math.min(columns, (column + 1) * COLUMNS); x++) {
        for (let y = line * LINES; y < (line + 1) * LINES; y++, count++) sum += data[x * lines + y];
      }
      // of the root: faint shades lie closer together
      few[line * width + column] = Math.round(Math.sqrt(sum / count / 255) * (SHADES - 1));
    }
  }
  return few;
}
