import { existsSync } from 'node:fs';
import { chromium, firefox, webkit } from 'playwright';
import { openWebKit, webKitPrograms } from './webkit.mjs';

/**
 * A browser that runs: pages that do not share a process, where the browser can do that.
 * @typedef {{
 *   runtime: string,
 *   open: (url: string) => Promise<{ ask: (method: string, argument: unknown) => Promise<object>, close: () => Promise<void> }>,
 *   close: () => Promise<void>,
 * }} Browser
 */

/** By name: where it is looked for, what starts it, or undefined where it is not there. */
const ENGINES = {
  chromium() {
    const names = ['chromium', 'chromium-browser', 'google-chrome'];
    const executablePath = find([process.env.CHROMIUM, ...names.map(usual), chromium.executablePath()]);
    const args = ['--no-sandbox', '--disable-gpu'];
    return executablePath && (async () => steered('Chromium', await chromium.launch({ executablePath, args })));
  },
  firefox() {
    const own = find([firefox.executablePath()]);
    const installed = find([process.env.FIREFOX, usual('firefox-esr'), usual('firefox')]);
    // a Firefox that is not Playwright's own build speaks WebDriver BiDi
    const options = installed ? { executablePath: installed, channel: 'moz-firefox' } : { executablePath: own };
    return options.executablePath && (async () => steered('Firefox', await firefox.launch(options)));
  },
  webkit() {
    const executablePath = find([webkit.executablePath()]);
    if (executablePath) return async () => steered('WebKit', await webkit.launch({ executablePath }));
    const programs = webKitPrograms();
    return programs && (() => openWebKit(programs));
  },
};

export const ENGINE_NAMES = Object.keys(ENGINES);

/** What starts the browser of this name: a function that gives a Browser; undefined where it is not there. */
export function starterOf(name) {
  return ENGINES[name]();
}

function usual(name) {
  return `/usr/bin/${name}`;
}

function find(paths) {
  return paths.find((path) => path && existsSync(path));
}

/** @returns {Browser} */
function steered(name, browser) {
  return {
    runtime: `${name} ${browser.version()}`,
    async open(url) {
      // a context of its own, and with it a process
      const context = await browser.newContext();
      const page = await context.newPage();
      page.on('pageerror', (error) => console.error(`page: ${error.message}`));
      await page.goto(url);
      await page.waitForFunction(() => globalThis.ask);
      return {
        ask: (method, argument) =>
          page.evaluate(([method, argument]) => globalThis.ask(method, argument), [method, argument]),
        close: () => context.close(),
      };
    },
    close: () => browser.close(),
  };
}
