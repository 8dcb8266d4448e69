import { BLOCK, DELAY } from './network.mjs';

/** Blocks between two reports of progress: 1 s. */
const REPORT = 125;

/**
 * Denoises a recording at 16 kHz. The output lies on the input, sample by sample.
 * @param {import('./network.mjs').Dtln} network
 * @param {Float32Array} samples
 * @param {(done: number) => void} [progress] gets samples that are done
 * @returns {{ output: Float32Array, late: Float32Array, state: object }} `late`: the stream as it came, DELAY samples late
 */
export function denoise(network, samples, progress) {
  const stream = network.stream();
  const blocks = Math.ceil(samples.length / BLOCK) + DELAY / BLOCK;
  const late = new Float32Array(blocks * BLOCK);
  late.set(samples);
  for (let block = 0; block < blocks; block++) {
    const place = late.subarray(block * BLOCK, (block + 1) * BLOCK);
    stream.process(place, place);
    if (block % REPORT === REPORT - 1) progress?.(Math.min(samples.length, block * BLOCK));
  }
  const state = stream.getState();
  stream.dispose();
  return { output: late.subarray(DELAY, DELAY + samples.length), late, state };
}
