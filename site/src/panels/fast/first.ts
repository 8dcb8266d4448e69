// What a worker of the second part does: one answer, and what it took to get there.

/** What a worker says once it has its first answer. */
export interface First {
  readonly probability: number;
  /** Bytes on the wire of what the worker itself fetched. */
  readonly bytes: number;
  readonly error?: string;
}

/** In such a worker: answers the page's one message. @param run gives the probability of the first frame */
export function answerOnce(run: (base: string) => Promise<number>): void {
  addEventListener('message', async ({ data }: MessageEvent<string>) => {
    try {
      const probability = await run(data);
      const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
      const sizes = new Map(entries.map(({ name, encodedBodySize }) => [name, encodedBodySize]));
      postMessage({ probability, bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) } satisfies First);
    } catch (error) {
      postMessage({ probability: Number.NaN, bytes: 0, error: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** A frame of Silero VAD v5 at 16 kHz: 64 samples of context and 512 of sound, here silence. */
export const FRAME = 64 + 512;
export const MODEL = 'silero_vad_v5.onnx';
