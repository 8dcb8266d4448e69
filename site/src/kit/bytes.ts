/** What a resource weighed on its way: compressed, as the host sent it. */
export interface Fetched {
  readonly bytes: Uint8Array;
  /** Bytes on the wire; those of the body where the browser does not say. */
  readonly sent: number;
}

/**
 * Fetches a file and counts its bytes as they come.
 * @param onBytes hears how many bytes have come, and how many will come as far as the host says
 * @throws Error with a sentence for visitors, if it cannot be had
 */
export async function fetchBytes(
  url: string,
  onBytes: (come: number, all: number) => void = () => {},
): Promise<Fetched> {
  const response = await fetch(url).catch(() => undefined);
  const name = url.slice(url.lastIndexOf('/') + 1);
  if (!response?.ok || !response.body) {
    throw new Error(
      `${name} did not come${response ? ` (status ${response.status})` : ''}. Look at the connection, and try again.`,
    );
  }
  const all = Number(response.headers.get('content-length') ?? 0);
  const parts: Uint8Array[] = [];
  let come = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) break;
    parts.push(value);
    come += value.length;
    onBytes(come, Math.max(all, come));
  }
  const bytes = new Uint8Array(come);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, sent: sentBytes((address) => address === response.url) || come };
}

/** Bytes on the wire of this page's or this worker's scripts, as far as the browser says. */
export function sentBytes(isIt: (url: string) => boolean): number {
  const entries = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  const sizes = new Map(
    entries.filter(({ name }) => isIt(name)).map(({ name, encodedBodySize }) => [name, encodedBodySize]),
  );
  return [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}
