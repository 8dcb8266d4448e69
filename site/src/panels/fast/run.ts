import { fetchBytes } from '../../kit/bytes.ts';
import { Calls } from '../../kit/worker.ts';
import type { Bench } from './bench.worker.ts';
import { browserOf } from './browser.ts';
import { WASM } from './ort.ts';
import type { Result, Times } from './result.ts';
import { SHAPES } from './shapes.ts';
import { measureStart } from './start.ts';

/** Where make-fast.mjs puts onnxruntime-web, below the page. */
export const BASE = 'ort/';

/** Seconds for the rows, and how often the second part begins anew. */
const QUICK = { seconds: 14, warmMs: 2400, rounds: 3 };
const THOROUGH = { seconds: 105, warmMs: 6000, rounds: 7 };

/** What a run tells while it goes on. */
export interface Listener {
  fetched(come: number, all: number): void;
  /** Everybody is called for a while before anything counts. */
  warming(): void;
  /** The row that is measured next, and what is known already. */
  row(index: number, secondsLeft: number, result: Result): void;
  starting(result: Result): void;
  /** Something cannot be had or measured: it goes on without. */
  without(sentence: string): void;
}

/** Runs the benchmark once. @throws Error with a sentence for visitors; an AbortError when `signal` ends it */
export async function run(thorough: boolean, listener: Listener, signal: AbortSignal): Promise<Result> {
  const worker = new Worker(new URL('./bench.worker.ts', import.meta.url), { type: 'module' });
  const bench = new Calls<Bench>(worker);
  const ended = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new DOMException('Stopped.', 'AbortError')));
  });
  // nobody may wait for it
  ended.catch(() => {});
  const wait = <T>(promise: Promise<T>): Promise<T> => Promise.race([promise, ended]);
  try {
    return await measureAll(bench, wait, thorough, listener, signal);
  } finally {
    bench.end();
  }
}

async function measureAll(
  bench: Calls<Bench>,
  wait: <T>(promise: Promise<T>) => Promise<T>,
  thorough: boolean,
  listener: Listener,
  signal: AbortSignal,
): Promise<Result> {
  const { seconds, warmMs, rounds } = thorough ? THOROUGH : QUICK;
  const base = new URL(BASE, document.baseURI).href;
  const ort = await wait(peerOf(bench, base, listener));
  const sampleMs = await wait(bench.call('clock', []));
  listener.warming();
  await wait(bench.call('warm', [warmMs]));
  const rows: Times[] = [];
  const date = new Date().toISOString().slice(0, 10);
  const result = (start: Result['start'] = {}): Result => ({
    ...browserOf(navigator.userAgent),
    ...{ date, thorough, sampleMs, ort, rows, start },
  });
  const end = performance.now() + 1000 * seconds;
  for (const index of SHAPES.keys()) {
    const left = Math.max(0, end - performance.now());
    listener.row(index, left / 1000, result());
    rows.push(await wait(bench.call('measure', [index, left / (SHAPES.length - index)])));
  }
  listener.starting(result());
  const makes = new Map<'ours' | 'ort-web', () => Worker>([
    ['ours', () => new Worker(new URL('./start-ours.worker.ts', import.meta.url), { type: 'module' })],
    ['ort-web', () => new Worker(new URL('./start-ort.worker.ts', import.meta.url), { type: 'module' })],
  ]);
  if (!ort) makes.delete('ort-web');
  try {
    return result(await wait(measureStart(makes, rounds, base, signal)));
  } catch (error) {
    if (signal.aborted) throw error;
    listener.without((error as Error).message);
    return result();
  }
}

/** The version of onnxruntime-web, or nothing where it cannot be had. */
async function peerOf(bench: Calls<Bench>, base: string, listener: Listener): Promise<string> {
  try {
    // counted here; the worker then has it from the browser's cache
    await fetchBytes(base + WASM, listener.fetched);
    return await bench.call('peer', [base]);
  } catch (error) {
    listener.without(`${(error as Error).message} Measured without onnxruntime-web.`);
    return '';
  }
}
