import { ProcessHost } from '../host.mjs';

/** Options of benchmarks that also run in browsers. */
export const BROWSER_OPTIONS = {
  browser: { type: 'boolean', default: false },
  engines: { type: 'string' },
};

/**
 * Where to measure, one after the other: in processes, or with `browser` in the browsers of `engines`, or else in all that are there.
 * @param {{ child?: string, page?: string }} scripts what a process or page runs, that of bench.mjs if not given
 */
export async function* hostsFor({ browser, engines }, { child, page } = {}) {
  if (!browser && engines === undefined) {
    yield new ProcessHost(child);
    return;
  }
  const { ENGINE_NAMES, starterOf } = await import('./engines.mjs');
  const { BrowserHost } = await import('./host.mjs');
  const names = engines?.split(',').map((name) => name.trim()) ?? ENGINE_NAMES;
  for (const name of names) {
    if (ENGINE_NAMES.includes(name)) continue;
    throw new RangeError(`--engines: expected some of ${ENGINE_NAMES.join(', ')}, got ${name}`);
  }
  let found = 0;
  for (const name of names) {
    const start = starterOf(name);
    if (!start) {
      console.log(`${name} is not there`);
      continue;
    }
    found++;
    yield new BrowserHost(start, page);
  }
  if (found === 0) throw new Error(`none of ${names.join(', ')} in the usual places, at $CHROMIUM or $FIREFOX`);
}
