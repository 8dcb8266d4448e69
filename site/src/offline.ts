import { size } from './kit/format.ts';

const CACHE = 'lstm-wasm-page';

/** Lets visitors keep the page and its models for a time without a network. Nothing is kept unless they say so. */
export async function startOffline(button: HTMLButtonElement, status: HTMLElement): Promise<void> {
  if (!('caches' in globalThis) || !navigator.serviceWorker) return;
  const kept = async () => (await caches.has(CACHE)) && Boolean(await navigator.serviceWorker.getRegistration());
  const label = (isKept: boolean) => {
    button.textContent = isKept ? 'Remove the kept page' : 'Keep this page for use without a network';
  };
  label(await kept());
  button.hidden = false;
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      if (await kept()) await remove();
      else await keep((sentence) => status.replaceChildren(sentence));
      const isKept = await kept();
      status.textContent = isKept
        ? 'This page and its models work without a network now.'
        : 'Nothing is kept any more.';
      label(isKept);
    } catch {
      await remove();
      status.textContent = 'The page could not be kept: the connection broke, or this browser gave no room. Try again.';
    }
    button.disabled = false;
  });
}

async function keep(say: (sentence: string) => void): Promise<void> {
  const files: Record<string, number> = await (await fetch('offline.json')).json();
  const all = Object.values(files).reduce((sum, bytes) => sum + bytes, 0);
  const cache = await caches.open(CACHE);
  let come = 0;
  // the page itself is asked for by the address of its folder
  await cache.add('./');
  for (const [name, bytes] of Object.entries(files)) {
    await cache.add(name);
    come += bytes;
    say(`${size(come)} of ${size(all)}`);
  }
  await navigator.serviceWorker.register('offline-worker.js');
  await navigator.serviceWorker.ready;
}

async function remove(): Promise<void> {
  await caches.delete(CACHE);
  await (await navigator.serviceWorker.getRegistration())?.unregister();
}
