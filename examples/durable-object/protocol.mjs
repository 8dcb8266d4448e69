// What client and object say to each other.
//
// Client to object, binary, little-endian: the number of the first frame (uint32), the number of the first frame whose answer has
// not come yet (uint32), then 1 to 32 frames of 512 samples (float32, -1 to 1, 16 kHz).
//
// Object to client, JSON:
//   { type: 'ready', frame }                                send frames from this one on
//   { type: 'heard', frame, probabilities, events, keep }   the answer to the frames from `frame` on; frames before `keep` will
//                                                           never be asked for again
//   { type: 'refused', reason }                             the message was not taken, nothing has changed
// It closes the WebSocket with 4009 where it expected another frame (connect again), 4001 where another connection took over, 4010
// where the voice has ended, and 1008 after 16 messages refused.
import { FRAME } from '../speech-events.mjs';

const HEADER = 8;
const FRAME_BYTES = 4 * FRAME;
/** Frames of a message: about a second. */
export const LARGEST = 32;
/** Frames that may be under way without an answer: four seconds. */
export const WINDOW = 128;

/** Codes of a closing WebSocket. */
export const CLOSE = { policy: 1008, taken: 4001, place: 4009, ended: 4010 };

/** The message was not taken, and why. */
export class Refusal extends Error {}

/** @param {number} first @param {number} have @param {Float32Array} samples whole frames @returns {Uint8Array} */
export function writeFrames(first, have, samples) {
  const bytes = new Uint8Array(HEADER + 4 * samples.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, first, true);
  view.setUint32(4, have, true);
  for (const [i, sample] of samples.entries()) view.setFloat32(HEADER + 4 * i, sample, true);
  return bytes;
}

/**
 * @param {ArrayBuffer | string} message
 * @returns {{ first: number, have: number, samples: Float32Array }}
 * @throws {Refusal}
 */
export function readFrames(message) {
  if (typeof message === 'string')
    throw new Refusal(`expected a binary message, got text of ${message.length} characters`);
  const size = message.byteLength;
  const count = (size - HEADER) / FRAME_BYTES;
  if (!(Number.isInteger(count) && count >= 1 && count <= LARGEST)) {
    throw new Refusal(`expected ${HEADER} bytes and 1 to ${LARGEST} frames of ${FRAME_BYTES} bytes, got ${size} bytes`);
  }
  const view = new DataView(message);
  const [first, have] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (have > first)
    throw new Refusal(`frame ${first} cannot come before the answer to frame ${have - 1}, which it says it has`);
  if (first + count - have > WINDOW) {
    throw new Refusal(
      `flood: ${first + count - have} frames without an answer, at most ${WINDOW} are allowed; wait for answers`,
    );
  }
  const samples = new Float32Array(count * FRAME);
  for (let i = 0; i < samples.length; i++) {
    const sample = view.getFloat32(HEADER + 4 * i, true);
    // the comparison is false for NaN
    if (!(Math.abs(sample) <= 1)) throw new Refusal(`sample ${i}: expected a number from -1 to 1, got ${sample}`);
    samples[i] = sample;
  }
  return { first, have, samples };
}

/** A frame's number from a URL. @param {string | null} text @throws {Refusal} */
export function readFrameNumber(text) {
  if (!/^\d{1,10}$/.test(text ?? '')) throw new Refusal(`frame: expected a whole number, got ${JSON.stringify(text)}`);
  return Number(text);
}
