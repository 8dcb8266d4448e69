// Labels a recording: where there is speech.
import { createHash } from 'node:crypto';
import { FRAME, SAMPLE_RATE, Voice } from './speech-events.mjs';

/** Frames between two reports of progress: 3 s of audio, some milliseconds of work. */
const PIECE = 100;

/**
 * @param {import('lstm-wasm/onnx').OnnxSession} session of Silero VAD
 * @param {Float32Array} samples
 * @yields {number} the share that is done, so that the caller can do other things in between
 * @returns {{ seconds: number, speech: number[][], probabilities: string }} starts and ends in samples; the SHA-256 of the
 *   probabilities of all frames, which tells whether two answers are the same to the last bit
 */
export function* labelInPieces(session, samples) {
  const voice = new Voice(session);
  const frames = Math.ceil(samples.length / FRAME);
  const probabilities = new Float32Array(frames);
  const speech = [];
  const take = (event) => {
    if (event?.type === 'speech') speech.push([event.start, event.end]);
  };
  const last = new Float32Array(FRAME);
  try {
    for (let k = 0; k < frames; k++) {
      let frame = samples.subarray(k * FRAME, (k + 1) * FRAME);
      if (frame.length < FRAME) {
        last.set(frame);
        frame = last;
      }
      const { probability, event } = voice.push(frame);
      probabilities[k] = probability;
      take(event);
      if (k % PIECE === PIECE - 1) yield k / frames;
    }
    take(voice.finish(samples.length));
  } finally {
    voice.dispose();
  }
  const digest = createHash('sha256').update(new Uint8Array(probabilities.buffer)).digest('hex');
  return { seconds: samples.length / SAMPLE_RATE, speech, probabilities: digest };
}

/** The same at one go. */
export function label(session, samples) {
  const pieces = labelInPieces(session, samples);
  for (;;) {
    const { done, value } = pieces.next();
    if (done) return value;
  }
}
