import { Stopwatch } from '../measure.mjs';
import { probe } from './build.mjs';

const KB = 1024;
/** Working sets, each larger by a factor of about 1.6 */
const SETS = [8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192];
const LARGE_SETS = [12_288, 16_384, 24_576, 32_768, 49_152, 65_536];

/** The fastest sample of a few rounds, in microseconds a call: a peak is what is possible, not what is usual. */
export async function fastest(call, ms) {
  const watch = new Stopwatch(call);
  await watch.warm(2 * ms);
  return Math.min(...(await watch.round(ms)));
}

/**
 * What this engine reaches on this processor at most.
 * @returns bandwidth: [bytes, GB/s] by working set; the rest in multiply-adds x 2 (GFLOP/s, GOP/s), nanoseconds a call
 */
export async function measurePeaks(ms, progress) {
  const { read, multiply_add, dot_i16, nothing } = await probe('probe.ts');
  const bandwidth = [];
  for (const set of [...SETS, ...LARGE_SETS]) {
    progress(`reading ${set} KB`);
    const bytes = set * KB;
    const times = Math.max(1, Math.floor((64 * KB) / bytes));
    const us = await fastest(() => read(64 * KB, bytes, times), ms);
    bandwidth.push([bytes, (bytes * times) / us / 1000]);
  }
  progress('arithmetic from registers');
  const N = 2000;
  const rate = async (perTurn, call) => (2 * perTurn * N) / (await fastest(call, 5 * ms)) / 1000;
  const peaks = {
    bandwidth,
    multiplyAdd: await rate(48, () => multiply_add(N, 0.5, 1)),
    dotI16: await rate(96, () => dot_i16(N, 3, 1)),
    callNs: (await fastest(() => nothing(1), 5 * ms)) * 1000,
  };
  try {
    const relaxed = await probe('relaxed.ts', 'relaxed-simd');
    peaks.relaxedMultiplyAdd = await rate(48, () => relaxed.multiply_add(N, 0.5, 1));
    peaks.relaxedDotI8 = await rate(192, () => relaxed.dot_i8(N, 3, 1));
  } catch (error) {
    if (!(error instanceof WebAssembly.CompileError)) throw error;
  }
  return peaks;
}

/** GB/s at a working set, between the measured ones on a logarithmic scale. */
export function bandwidthAt({ bandwidth }, bytes) {
  const above = bandwidth.findIndex(([size]) => size >= bytes);
  if (above === 0) return bandwidth[0][1];
  if (above < 0) return bandwidth.at(-1)[1];
  const [[size0, rate0], [size1, rate1]] = [bandwidth[above - 1], bandwidth[above]];
  const part = Math.log(bytes / size0) / Math.log(size1 / size0);
  return rate0 + part * (rate1 - rate0);
}
