import { BROWSERS } from '../../scripts/browsers.mjs';

/**
 * A browser that runs: pages that do not share a process, where the browser can do that.
 * @typedef {{
 *   runtime: string,
 *   open: (url: string) => Promise<{ ask: (method: string, argument: unknown) => Promise<object>, close: () => Promise<void> }>,
 *   close: () => Promise<void>,
 * }} Browser
 */

export const ENGINE_NAMES = BROWSERS.map(({ name }) => name.toLowerCase());

/** What starts the browser of this name: a function that gives a Browser; undefined where it is not there. */
export function starterOf(name) {
  const { path, start } = BROWSERS[ENGINE_NAMES.indexOf(name)];
  return path && (async () => asked(await start()));
}

/** A page asks as soon as its program has defined how. */
const READY = `(async () => {
  while (!globalThis.ask) await new Promise((go) => setTimeout(go, 10));
})()`;

/** @returns {Browser} */
function asked(browser) {
  return {
    ...browser,
    async open(url) {
      const page = await browser.open(url, ({ message }) => console.error(`page: ${message}`));
      await page.evaluate(READY);
      return {
        ask: (method, argument) => page.evaluate(`ask(${JSON.stringify(method)}, ${JSON.stringify(argument)})`),
        close: page.close,
      };
    },
  };
}
