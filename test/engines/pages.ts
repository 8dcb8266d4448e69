// The suite in browsers: in a page, a worker, an AudioWorklet and a service worker, served from this machine.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where the suite runs in a browser, and the function of the page that runs it there. */
export const PLACES = {
  page: 'inPage()',
  worker: 'inWorker()',
  'audio worklet': 'inWorklet()',
  'service worker': 'inServiceWorker()',
} as const;

/**
 * The places whose thread makes subnormal numbers zeros while it computes sound, which the processor can do and WebAssembly does not
 * foresee: floats below 2^-126 come out as zeros there.
 */
export const FLUSHING: readonly string[] = ['Firefox, audio worklet', 'WebKit, audio worklet'];

const PAGE = `<!doctype html><meta charset="utf-8"><title>suite</title><link rel="icon" href="data:,">
<script src="suite.js"></script>
<script>
  const answer = (port) => new Promise((resolve, reject) => {
    port.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.results));
  });
  const inPage = () => runSuite();
  const inWorker = () => answer(new Worker('worker.js'));
  async function inWorklet() {
    const context = new OfflineAudioContext(1, 128, 48000);
    await context.audioWorklet.addModule('suite.js');
    await context.audioWorklet.addModule('worklet.js');
    const node = new AudioWorkletNode(context, 'suite');
    const results = answer(node.port);
    node.connect(context.destination);
    await context.startRendering();
    return results;
  }
  async function inServiceWorker() {
    const registration = await navigator.serviceWorker.register('service-worker.js');
    await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const results = answer(port1);
    (registration.active ?? registration.waiting ?? registration.installing).postMessage({}, [port2]);
    return results;
  }
</script>`;

const SEND = (port: string) => `runSuite().then(
  (results) => ${port}.postMessage({ results }),
  (error) => ${port}.postMessage({ error: String(error) }),
);`;

/** The files of the server by path. */
function filesOf(suite: string): Record<string, readonly [type: string, text: string]> {
  const script = (text: string) => ['text/javascript', text] as const;
  return {
    '/': ['text/html', PAGE],
    '/suite.js': script(suite),
    '/worker.js': script(`importScripts('suite.js'); ${SEND('self')}`),
    '/worklet.js': script(`registerProcessor('suite', class extends AudioWorkletProcessor {
      process() {
        if (this.started) return true;
        this.started = true;
        ${SEND('this.port')}
        return true;
      }
    });`),
    '/service-worker.js': script(`importScripts('suite.js');
      onmessage = ({ ports: [port] }) => { ${SEND('port')} };`),
  };
}

/** Serves the suite. */
export async function serve(suite: string): Promise<{ url: string; close(): void }> {
  const files = filesOf(suite);
  const server = createServer(({ url }, response) => {
    const file = files[url!];
    response.writeHead(file ? 200 : 404, { 'content-type': file?.[0] ?? 'text/plain' });
    response.end(file?.[1]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}
