// A thread: labels one recording a call, with a model of its own.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadOnnx } from 'lstm-wasm/onnx';
import { label } from '../label.mjs';
import { RecordingError, readRecording } from '../recordings.mjs';

const MODEL = createRequire(import.meta.url).resolve('@ricky0123/vad-web/dist/silero_vad_v6.onnx');
const session = loadOnnx(readFileSync(MODEL));

/** @param {string} path of a WAV file */
export default function labelFile(path) {
  try {
    return label(session, readRecording(readFileSync(path)));
  } catch (error) {
    if (error instanceof RecordingError || error.code) return { error: error.message };
    throw error;
  }
}
