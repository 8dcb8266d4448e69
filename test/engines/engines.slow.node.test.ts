// The same bits everywhere: hashes.json has what every engine must compute, case by case, and under `flushed` what differs on a
// thread that makes subnormal numbers zeros. UPDATE_HASHES=true writes the first part anew.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BROWSERS, type Browser, type Page } from '../../scripts/browsers.mjs';
import { needEngine } from '../support/need.ts';
import recorded from './hashes.json' with { type: 'json' };
import { FLUSHING, PLACES, serve } from './pages.ts';
import { PROGRAMS, runProgram } from './programs.ts';
import { readSuiteFile, suiteScript } from './script.ts';
import { CASES, run } from './suite.ts';

const read = new Set<string>();
const here = await run((name) => {
  read.add(name);
  return readSuiteFile(name);
});
if (process.env.UPDATE_HASHES) {
  writeFileSync(
    new URL('hashes.json', import.meta.url),
    `${JSON.stringify({ ...recorded, hashes: here }, undefined, 2)}\n`,
  );
}
const { hashes, flushed } = recorded;
const suite = await suiteScript(read);
const folder = mkdtempSync(join(tmpdir(), 'lstm-wasm-engines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('every case has a hash', () => {
  expect(Object.keys(hashes)).toEqual(['digest', ...Object.keys(CASES)]);
  for (const hash of Object.values(hashes)) expect(hash).toMatch(/^[0-9a-f]{8,16}$/);
});

describe('programs', () => {
  for (const [i, program] of PROGRAMS.entries()) {
    test(program.name, { timeout: 300_000 }, (context) => {
      needEngine(context, program.name, program.command, program.advice);
      const file = join(folder, `${i}.mjs`);
      const cases = program.cases ? JSON.stringify(program.cases) : '';
      writeFileSync(file, `${suite}\nconsole.log(JSON.stringify(await runSuite(${cases})));\n`);
      const names = program.cases && ['digest', ...program.cases];
      const wanted = names
        ? Object.fromEntries(names.map((name) => [name, hashes[name as keyof typeof hashes]]))
        : hashes;
      expect(runProgram(program, file)).toEqual(wanted);
    });
  }
});

describe('browsers', () => {
  let server: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    server = await serve(suite);
  });
  afterAll(() => server.close());
  for (const kind of BROWSERS) {
    describe(kind.name, () => {
      let browser: Browser | undefined;
      let page: Page | undefined;
      afterAll(() => browser?.close());
      for (const [place, expression] of Object.entries(PLACES)) {
        test(place, { timeout: 180_000 }, async (context) => {
          needEngine(context, kind.name, kind.path);
          browser ??= await kind.start();
          page ??= await browser.open(server.url);
          const wanted = FLUSHING.includes(`${kind.name}, ${place}`) ? { ...hashes, ...flushed } : hashes;
          expect(await page.evaluate(expression)).toEqual(wanted);
        });
      }
    });
  }
});
