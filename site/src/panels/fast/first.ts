// What a worker of the second part does: one answer, and what it took to get there.

/** What a worker says once it has its first answer. */
export interface First {
  readonly probability: number;
  /** Bytes on the wire of what the worker itself fetched; 0 where the browser does not say, as WebKit of a worker. */
  readonly bytes: number;
  readonly error?: string;
}

/**
 * In such a worker: answers the page's one message.
 * @param files whose sizes must be known, or none is said
 * @param run gives the probability of the first frame
 */
export function answerOnce(files: readonly string[], run: (base: string) => Promise<number>): void {
  addEventListener('message', async ({ data }: MessageEvent<string>) => {
    try {
      const probability = await run(data);
      const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
      const sizes = new Map(entries.map(({ name, encodedBodySize }) => [name, encodedBodySize]));
      const isKnown = files.every((file) => [...sizes].some(([name, size]) => name.endsWith(file) && size > 0));
      const sum = [...sizes.values()].reduce((all, size) => all + size, 0);
      postMessage({ probability, bytes: isKnown ? sum : 0 } satisfies First);
    } catch (error) {
      postMessage({ probability: Number.NaN, bytes: 0, error: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** A frame of Silero VAD v5 at 16 kHz: 64 samples of context and 512 of sound, here silence. */
export const FRAME = 64 + 512;
export const MODEL = 'silero_vad_v5.onnx';
