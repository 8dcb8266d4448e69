// Files of the panel "Your model": Silero VAD v5 as its authors publish it, and what its LSTM does on the beginning of the recording, for
// visitors who have not run it yet. All go to public/built/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { rolldown } from 'rolldown';
import { readRecording } from '../../examples/recordings.mjs';
import { doorsPlugin } from '../build/doors.mjs';

const root = new URL('../', import.meta.url);
const built = new URL('public/built/', root);
const NAME = 'silero_vad_v5.onnx';
/** Seconds that are drawn, a whole number of frames, and the lines of the spectrogram that are joined. */
const [SECONDS, JOINED] = [13.312, 4];
const RATE = 16_000;

const { Studio, pack } = await importPage(
  'export * from "./src/panels/model/engine/studio.ts"; export * from "./src/panels/model/drawing.ts"',
);

mkdirSync(built, { recursive: true });
const bytes = readFileSync(createRequire(import.meta.url).resolve(`@ricky0123/vad-web/dist/${NAME}`));
write(NAME, bytes);
write('model-drawing.bin', await draw());

async function draw() {
  const wav = readFileSync(new URL('../test/fixtures/vad/mixed.wav', root));
  const samples = readRecording(wav).slice(0, SECONDS * RATE);
  const studio = new Studio();
  const described = await studio.open([new File([bytes], NAME)]);
  const ran = await studio.run({ kind: 'recording', samples, rate: RATE, name: 'Recording' });
  if (!ran.isSame) throw new Error(ran.compared);
  // times are those of whoever runs it
  const untimed = { ...ran, seconds: 0, heard: join(ran.heard) };
  return pack({ described: { ...described, seconds: 0 }, ran: untimed, gates: studio.gates(ran.cells[0].key).gates });
}

/** A spectrogram with fewer lines. */
function join(heard) {
  const lines = heard.lines / JOINED;
  const data = Uint8Array.from({ length: heard.columns * lines }, (_, n) => {
    const part = heard.data.subarray(n * JOINED, (n + 1) * JOINED);
    return part.reduce((sum, value) => sum + value, 0) / JOINED;
  });
  return { ...heard, data, lines };
}

function write(name, data) {
  writeFileSync(new URL(name, built), data);
  console.log(`${name.padEnd(28)} ${data.length.toLocaleString('en-US').padStart(9)} bytes`);
}

/** Code of the page, which is TypeScript, for use here. */
async function importPage(contents) {
  const entry = {
    name: 'entry',
    resolveId: (source) => (source === 'entry' ? new URL('entry.ts', root).pathname : undefined),
    load: (id) => (id === new URL('entry.ts', root).pathname ? contents : undefined),
  };
  const bundle = await rolldown({ input: 'entry', platform: 'node', plugins: [entry, doorsPlugin()] });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  return import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`);
}
