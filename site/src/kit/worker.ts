/** A message to a worker, and the answer with the same id. */
interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly news?: unknown;
}

/** Calls functions in a worker; the page stays free meanwhile. `T` is the worker's set of functions (see serve()). */
export class Calls<T extends Record<string, (...given: never[]) => unknown>> {
  #worker: Worker;
  #waiting = new Map<
    number,
    { resolve(value: unknown): void; reject(error: Error): void; news(value: unknown): void }
  >();
  #next = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<Answer>) => {
      const call = this.#waiting.get(data.id);
      if (!call) return;
      if ('news' in data) return call.news(data.news);
      this.#waiting.delete(data.id);
      if (data.error === undefined) call.resolve(data.result);
      else call.reject(new Error(data.error));
    });
    worker.addEventListener('error', (event) => {
      const error = new Error(event.message || 'A part of this page did not load. Reload the page.');
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /**
   * @param news hears what the function reports before its answer
   * @param transfer buffers that the worker gets and this side loses
   */
  call<K extends keyof T & string>(
    name: K,
    given: Parameters<T[K]>,
    news: (value: never) => void = () => {},
    transfer: Transferable[] = [],
  ): Promise<Awaited<ReturnType<T[K]>>> {
    const id = this.#next++;
    this.#worker.postMessage({ id, name, given }, transfer);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, {
        resolve: resolve as (value: unknown) => void,
        reject,
        news: news as (value: unknown) => void,
      });
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}

let report: (value: unknown) => void = () => {};

/** In a worker: lets the page call functions. A result's buffers are handed over where `transfer` names them. */
export function serve(
  functions: Record<string, (...given: never[]) => unknown>,
  transfer: (result: unknown) => Transferable[] = () => [],
): void {
  addEventListener('message', async ({ data: { id, name, given } }) => {
    try {
      report = (news) => postMessage({ id, news });
      const result = await functions[name]!(...(given as never[]));
      postMessage({ id, result }, { transfer: transfer(result) });
    } catch (error) {
      postMessage({ id, error: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** In a function of a worker: reports something before its answer. Calls are answered one after another. */
export function tell(news: unknown): void {
  report(news);
}
