// Files of the panel "noise": a noisy recording, what DTLN made of it when the page was built, and DTLN's weights. All go to public/built/.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import wavefile from 'wavefile';
import { serializeSafetensors } from '../../dist/safetensors.js';
import { denoise } from '../../examples/dtln/denoise.mjs';
import { Dtln, RATE } from '../../examples/dtln/network.mjs';
import { readOnnxWeights } from '../../examples/dtln/weights.mjs';
import { readRecording } from '../../examples/recordings.mjs';

const root = new URL('../', import.meta.url);
const built = new URL('public/built/', root);
const models = new URL('../test/fixtures/dtln/', root);
const RECORDING = new URL('../examples/denoise/data/austen-white-hum.wav', root);

mkdirSync(built, { recursive: true });
const weights = readOnnxWeights(...['model_1.onnx', 'model_2.onnx'].map((name) => readFileSync(new URL(name, models))));
write('dtln.safetensors', serializeSafetensors(weights));
const bytes = readFileSync(RECORDING);
write('noisy.wav', bytes);
const { output } = denoise(new Dtln(weights), readRecording(bytes));
const wav = new wavefile.WaveFile();
const samples = Int16Array.from(output, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(32_768 * sample))));
wav.fromScratch(1, RATE, '16', samples);
write('cleaned.wav', wav.toBuffer());

function write(name, data) {
  writeFileSync(new URL(name, built), data);
  console.log(`${name.padEnd(28)} ${data.length.toLocaleString('en-US').padStart(9)} bytes`);
}
