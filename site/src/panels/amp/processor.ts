import url from '../../../../dist/worklet-processor.js?url';
import { fetchBytes } from '../../kit/bytes.ts';

/** The processor of `lstm-wasm/worklet`: fetched once, whatever number of contexts load it, and what it weighed on its way. */
export interface Processor {
  readonly url: string;
  readonly sent: number;
}

let fetched: Promise<Processor> | undefined;

export function processor(): Promise<Processor> {
  fetched ??= fetchBytes(new URL(url, document.baseURI).href).then(({ bytes, sent }) => ({
    url: URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'text/javascript' })),
    sent,
  }));
  // a connection that failed may work the next time
  fetched.catch(() => {
    fetched = undefined;
  });
  return fetched;
}
