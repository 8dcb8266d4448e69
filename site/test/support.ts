import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, type TestContext, test } from 'vitest';
import { BROWSERS, type Browser, type Look, type Page } from '../../scripts/browsers.mjs';
import { needEngine } from '../../test/support/need.ts';

/** What a microphone hears in Chromium. */
export const RECORDING = new URL('../../examples/voice-activity/data/librivox-austen.wav', import.meta.url).pathname;

const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const WIDE: Look = { viewport: { width: 1440, height: 900 } };

export type BrowserName = (typeof BROWSERS)[number]['name'];

/** A page of the site, and what it threw. */
export interface Opened extends Page {
  readonly errors: Error[];
  /** Waits until an expression is true. @throws Error with the expression's last value */
  until(expression: string, seconds?: number): Promise<void>;
  /** Brings a panel onto the screen, which begins it. */
  show(panel: string): Promise<void>;
}

/**
 * Describes a case in each browser, with a microphone that needs no permission. A browser that is missing is skipped by name; with CI=true
 * that is an error.
 */
export function inBrowsers(
  title: string,
  run: (page: Opened, context: TestContext, browser: BrowserName) => Promise<void>,
  {
    look = WIDE,
    names = BROWSERS.map(({ name }) => name),
    hash = '',
  }: { look?: Look; names?: BrowserName[]; hash?: string } = {},
): void {
  for (const kind of BROWSERS.filter(({ name }) => names.includes(name))) {
    describe(`${title}: ${kind.name}`, () => {
      let browser: Browser | undefined;
      beforeAll(async () => {
        if (kind.path) browser = await kind.start({ microphone: RECORDING });
      });
      afterAll(() => browser?.close());
      test('holds', async (context) => {
        needEngine(context, kind.name, kind.path);
        const page = await open(browser!, look, hash);
        await run(page, context, kind.name);
        expect(page.errors).toEqual([]);
        await page.close();
      });
    });
  }
}

async function open(browser: Browser, look: Look, hash: string): Promise<Opened> {
  const errors: Error[] = [];
  const page = await browser.open(`${inject('site')}${hash}`, (error) => errors.push(error), look);
  const until = async (expression: string, seconds = 60) => {
    for (const end = Date.now() + 1000 * seconds; ; ) {
      const value = await page.evaluate(expression);
      if (value) return;
      if (Date.now() > end) throw new Error(`after ${seconds} s ${expression} is still ${JSON.stringify(value)}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  return {
    ...page,
    errors,
    until,
    async show(panel) {
      await page.evaluate(`document.getElementById('${panel}').scrollIntoView({ behavior: 'instant' })`);
      await until(`document.querySelectorAll('#${panel} lw-strip .row, #${panel} [data-started]').length > 0`);
    },
  };
}

/** Whether this browser's audio runs, which needs a sound output in some. */
export const hears = (page: Page): Promise<boolean> =>
  page.evaluate(`(async () => {
    const context = new AudioContext();
    await Promise.race([context.resume(), new Promise((resolve) => setTimeout(resolve, 3000))]);
    const { currentTime } = context;
    await new Promise((resolve) => setTimeout(resolve, 500));
    const runs = context.currentTime > currentTime;
    await context.close();
    return runs;
  })()`);

/** Names what axe finds, with the first elements of each: an empty list is right. */
export async function findings(page: Page, within = 'document'): Promise<string[]> {
  const run = `(async () => {
    if (!globalThis.axe) {
      const script = document.createElement('script');
      script.textContent = ${JSON.stringify(AXE)};
      document.head.append(script);
    }
    const { violations } = await axe.run(${within}, { resultTypes: ['violations'] });
    const where = ({ target, failureSummary }) => target.join(' ') + ' ' + failureSummary.split('\\n')[1];
    return violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 3).map(where).join('; '));
  })()`;
  return page.evaluate(run);
}
