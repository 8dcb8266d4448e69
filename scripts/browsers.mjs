// The browsers on this machine, in which tests and benchmarks open pages: Chromium and Firefox by Playwright, WebKit too where Playwright's own
// build is there, else WebKitGTK as Debian packs it (`webkit2gtk-driver`, and `xvfb` where there is no display), by WebDriver.
import { existsSync, readdirSync } from 'node:fs';
import { chromium, firefox, webkit } from 'playwright';
import { startWebKit } from './webkit.mjs';

/**
 * A page. evaluate() gives what an expression gives, or the promise that it is: JSON, or an object with Float32Arrays. click() scrolls to
 * the first element of a selector and presses it; press() presses a key where the focus is ('a', 'ArrowLeft', 'Tab', ' '); choose()
 * gives files to an <input type=file>; screenshot() is a PNG of what is seen.
 * @typedef {object} Page
 * @property {(expression: string) => Promise<any>} evaluate
 * @property {() => Promise<string>} title
 * @property {(selector: string) => Promise<void>} click
 * @property {(key: string) => Promise<void>} press
 * @property {(selector: string, paths: string[]) => Promise<void>} choose
 * @property {() => Promise<Buffer>} screenshot
 * @property {() => Promise<void>} close
 */

/**
 * A browser that runs: pages that do not share a process, where it can do that. `onError` hears what a page throws, but in WebKitGTK.
 * `look` is Playwright's: { viewport, colorScheme, reducedMotion, hasTouch }; WebKitGTK takes the viewport alone.
 * @typedef {import('playwright').BrowserContextOptions} Look
 * @typedef {object} Browser
 * @property {string} runtime
 * @property {(url: string, onError?: (error: Error) => void, look?: Look) => Promise<Page>} open
 * @property {() => Promise<void>} close
 */

/**
 * A kind of browser. `path` is undefined where none is on this machine. With `microphone`, the path of a WAV file, a page gets a
 * microphone without being asked: that sound in Chromium, a tone in Firefox, none in WebKitGTK.
 * @typedef {{ microphone?: string }} Settings
 * @typedef {object} BrowserKind
 * @property {'Chromium' | 'Firefox' | 'WebKit'} name
 * @property {string | undefined} path
 * @property {(settings?: Settings) => Promise<Browser>} start
 */

export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

function usual(...names) {
  return names.map((name) => `/usr/bin/${name}`);
}

function find(...paths) {
  return paths.find((path) => path && existsSync(path));
}

/** @type {readonly BrowserKind[]} */
export const BROWSERS = [chromiumKind(), firefoxKind(), webkitKind()];

/** @returns {BrowserKind} */
function chromiumKind() {
  const names = usual('chromium', 'chromium-browser', 'google-chrome');
  const path = find(process.env.CHROMIUM, ...names, chromium.executablePath());
  const launch = ({ microphone }) => {
    const heard = microphone
      ? [
          '--use-fake-ui-for-media-stream',
          '--use-fake-device-for-media-stream',
          `--use-file-for-fake-audio-capture=${microphone}`,
        ]
      : [];
    return chromium.launch({ executablePath: path, args: [...CHROMIUM_ARGUMENTS, ...heard] });
  };
  return { name: 'Chromium', path, start: async (settings = {}) => steered('Chromium', await launch(settings)) };
}

/** @returns {BrowserKind} */
function firefoxKind() {
  const installed = find(process.env.FIREFOX, ...usual('firefox-esr', 'firefox'));
  const path = installed ?? find(firefox.executablePath());
  // a Firefox that is not Playwright's own build speaks WebDriver BiDi
  const launch = ({ microphone }) => {
    const tone = { 'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true };
    const channel = installed && { channel: 'moz-firefox' };
    return firefox.launch({ executablePath: path, ...channel, ...(microphone && { firefoxUserPrefs: tone }) });
  };
  return { name: 'Firefox', path, start: async (settings = {}) => steered('Firefox', await launch(settings)) };
}

/** @returns {BrowserKind} */
function webkitKind() {
  const own = find(webkit.executablePath());
  if (own) return { name: 'WebKit', path: own, start: async () => steered('WebKit', await webkit.launch()) };
  const driver = '/usr/bin/WebKitWebDriver';
  const isThere = existsSync(driver) && (process.env.DISPLAY || existsSync('/usr/bin/xvfb-run'));
  const browser = below('/usr/lib', /-linux-gnu$/)
    .flatMap((folder) => below(folder, /^webkit2gtk-/))
    .map((folder) => `${folder}/MiniBrowser`)
    .find((path) => existsSync(path));
  return { name: 'WebKit', path: isThere ? browser : undefined, start: () => startWebKit(driver, browser) };
}

function below(folder, pattern) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => pattern.test(name)).map((name) => `${folder}/${name}`);
}

/** @returns {Browser} */
function steered(name, browser) {
  return {
    runtime: `${name} ${browser.version()}`,
    async open(url, onError = () => {}, look = {}) {
      // a context of its own, and with it a process
      const context = await browser.newContext(look);
      const page = await context.newPage();
      page.on('pageerror', onError);
      await page.goto(url);
      return {
        evaluate: (expression) => page.evaluate(expression),
        title: () => page.title(),
        click: (selector) => page.locator(selector).first().click(),
        press: (key) => page.keyboard.press(key),
        choose: (selector, paths) => page.locator(selector).setInputFiles(paths),
        screenshot: () => page.screenshot(),
        close: () => context.close(),
      };
    },
    close: () => browser.close(),
  };
}
