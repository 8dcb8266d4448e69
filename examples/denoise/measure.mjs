// How noisy a recording is, beside the clean one or by itself. Samples are at 16 kHz.

/** 16 ms and 32 ms */
const SEGMENT = 256;
const WINDOW = 512;
/** The range in dB that a segment counts with, as usual for segmental SNR: silence and exact copies would outweigh all others. */
const [LOWEST, HIGHEST] = [-10, 35];
/** Segments of the clean recording this far below its mean power are pauses, where a ratio to the speech says nothing. */
const PAUSE = 40;
/** Below one bit of 16 */
const SILENCE = -95;

/**
 * Segmental SNR: the mean over segments of speech of the ratio, in dB, of the clean signal to what is not clean.
 * @param {Float32Array} actual
 * @param {Float32Array} clean
 */
export function segmentalSnr(actual, clean) {
  const length = Math.min(actual.length, clean.length);
  const limit = meanSquare(clean, 0, length) * 10 ** (-PAUSE / 10);
  const ratios = [];
  for (let at = 0; at + SEGMENT <= length; at += SEGMENT) {
    const power = meanSquare(clean, at, at + SEGMENT);
    if (power <= limit) continue;
    let noise = 0;
    for (let n = at; n < at + SEGMENT; n++) noise += (actual[n] - clean[n]) ** 2 / SEGMENT;
    ratios.push(Math.min(HIGHEST, Math.max(LOWEST, decibels(power / noise))));
  }
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}

/**
 * The noise in pauses, in dB of full scale: the mean power where the recording is quietest, in a tenth of it, before and after.
 * Digital silence does not count.
 * @param {Float32Array} before
 * @param {Float32Array} after of the same length
 */
export function noiseInPauses(before, after) {
  const windows = [];
  for (let at = 0; at + WINDOW <= before.length; at += WINDOW) {
    const powers = [before, after].map((samples) => meanSquare(samples, at, at + WINDOW));
    if (decibels(powers[0]) > SILENCE) windows.push(powers);
  }
  windows.sort(([a], [b]) => a - b);
  const quiet = windows.slice(0, Math.ceil(windows.length / 10));
  return [0, 1].map((i) => decibels(quiet.reduce((sum, powers) => sum + powers[i], 0) / quiet.length));
}

/** Signal to error in dB. @param {Float32Array} actual @param {Float32Array} expected */
export function signalToError(actual, expected) {
  let signal = 0;
  let error = 0;
  for (const [n, value] of expected.entries()) {
    signal += value ** 2;
    error += (actual[n] - value) ** 2;
  }
  return decibels(signal / error);
}

function meanSquare(samples, from, to) {
  let sum = 0;
  for (let n = from; n < to; n++) sum += samples[n] ** 2;
  return sum / (to - from);
}

function decibels(ratio) {
  return 10 * Math.log10(ratio);
}
