import { median } from '../../../../benchmarks/measure.mjs';
import type { First } from './first.ts';
import type { Beginning, Result } from './result.ts';

/** Silero's probability of a frame may differ by this between the two. */
const SAME = 1e-4;
const PATIENCE_MS = 60_000;

type Make = () => Worker;

/**
 * From nothing to the first answer, in new workers, in turns: once for each to have its files in the browser's cache, then `rounds` times.
 * @param makes how to begin a worker, with what it needs to know
 * @throws Error where answers differ or none comes, and once `signal` ends it
 */
export async function measureStart(
  makes: ReadonlyMap<'ours' | 'ort-web', Make>,
  rounds: number,
  base: string,
  signal: AbortSignal,
): Promise<Result['start']> {
  const times = new Map([...makes.keys()].map((name) => [name, [] as number[]]));
  const bytes = new Map<string, number>();
  let probability: number | undefined;
  for (let round = 0; round <= rounds; round++) {
    for (const [name, make] of makes) {
      signal.throwIfAborted();
      const begin = performance.now();
      const first = await firstOf(make, base);
      const ms = performance.now() - begin;
      probability ??= first.probability;
      if (Math.abs(first.probability - probability) > SAME)
        throw new Error('The two first answers differ: nothing was timed.');
      if (round > 0) times.get(name)!.push(ms);
      bytes.set(name, Math.max(bytes.get(name) ?? 0, first.bytes));
    }
  }
  return Object.fromEntries(
    [...times].map(([name, all]) => [name, { ms: median(all), bytes: bytes.get(name)! } satisfies Beginning]),
  );
}

/** Starts a worker, waits for its answer and ends it; bytes with those of the worker's script, which the page fetched. */
async function firstOf(make: Make, base: string): Promise<First> {
  const before = performance.getEntriesByType('resource').length;
  const worker = make();
  try {
    const first = await new Promise<First>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<First>) => resolve(data);
      worker.onerror = () => reject(new Error('A part of this page did not load. Reload the page.'));
      setTimeout(() => reject(new Error('No answer came within a minute.')), PATIENCE_MS);
      worker.postMessage(base);
    });
    if (first.error) throw new Error(first.error);
    if (first.bytes === 0) return first;
    const own = (performance.getEntriesByType('resource') as PerformanceResourceTiming[]).slice(before);
    const scripts = own.filter(({ name }) => /start-\w+.*\.[jt]s/.test(name));
    return { ...first, bytes: first.bytes + scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0) };
  } finally {
    worker.terminate();
  }
}
