// The page's benchmark without a page: how it measures, what it says and what its links carry.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { timeChart } from '../../../benchmarks/chart/time-chart.mjs';
import { browserOf } from '../../src/panels/fast/browser.ts';
import { LinkError, linkOf, readLink } from '../../src/panels/fast/link.ts';
import recorded from '../../src/panels/fast/recorded.json';
import { remark } from '../../src/panels/fast/remark.ts';
import { NAMES, type Result, type Times } from '../../src/panels/fast/result.ts';
import { SHAPES } from '../../src/panels/fast/shapes.ts';
import { tableOf, textOf } from '../../src/panels/fast/text.ts';
import { inTurns, sampleMs } from '../../src/panels/fast/timing.ts';
import { busyNote, verdict } from '../../src/panels/fast/verdict.ts';

const shown = recorded as unknown as Result;

/** A clock that moves only when somebody works, in steps of `step` milliseconds. */
function madeClock(step: number) {
  let ms = 0;
  let reads = 0;
  return {
    work: (us: number) => {
      ms += us / 1000;
    },
    now: () => {
      // reading it takes a little too, or a loop that waits for it would never end
      if (++reads % 4 === 0) ms += step / 4;
      return Math.floor(ms / step) * step;
    },
  };
}

describe('measuring', () => {
  test.each([0.005, 0.1, 1])('with a clock of %f ms medians and 95th percentiles are right, in turns', async (step) => {
    const { work, now } = madeClock(step);
    const order: string[] = [];
    const call = (name: string, us: number) => () => {
      if (order.at(-1) !== name) order.push(name);
      work(us);
    };
    const contestants = new Map([
      ['a', call('a', 0.2)],
      ['b', call('b', 15)],
      ['slow', call('slow', 300_000)],
    ]);
    const sample = sampleMs(now);
    expect(sample).toBeGreaterThanOrEqual(Math.max(1, 20 * step));
    const times = await inTurns(contestants, { ms: 1500, sample, now });
    const within = (name: string, us: number) => {
      const { us: median, p95 } = times.get(name)!;
      expect(Math.abs(median / us - 1), name).toBeLessThan(0.08);
      expect(p95).toBeGreaterThanOrEqual(median);
    };
    within('a', 0.2);
    within('b', 15);
    within('slow', 300_000);
    // after the warming a, b, slow they take turns
    expect(order.slice(3, 9)).toEqual(['a', 'b', 'slow', 'a', 'b', 'slow']);
    expect(order.length).toBeGreaterThanOrEqual(12);
  });

  test('a median is not moved by a few that were interrupted, the 95th percentile is', async () => {
    const { work, now } = madeClock(0.005);
    let n = 0;
    const call = () => work(++n % 10 === 0 ? 9000 : 2000);
    const times = await inTurns(new Map([['x', call]]), { ms: 2000, sample: 1, now });
    expect(Math.abs(times.get('x')!.us / 2000 - 1)).toBeLessThan(0.02);
    expect(times.get('x')!.p95).toBeGreaterThan(8000);
  });

  test('what takes longer alone than there is time for all is measured, and then left', async () => {
    const { work, now } = madeClock(0.1);
    let calls = 0;
    const endless = () => {
      calls++;
      work(4e6);
    };
    const times = await inTurns(new Map([['endless', endless]]), { ms: 1000, sample: 1, now });
    expect(Math.abs(times.get('endless')!.us / 4e6 - 1)).toBeLessThan(0.01);
    expect(calls).toBeLessThanOrEqual(3);
  });

  test('promises are waited for', async () => {
    const { work, now } = madeClock(0.005);
    const call = async () => {
      await Promise.resolve();
      work(500);
    };
    const times = await inTurns(new Map([['later', call]]), { ms: 300, sample: 1, now });
    expect(Math.abs(times.get('later')!.us / 500 - 1)).toBeLessThan(0.02);
  });
});

const row = (ours: number, peer?: number | 'wrong'): Times => ({
  ours: { us: ours, p95: ours },
  ...(peer !== undefined && { 'ort-web': peer === 'wrong' ? peer : { us: peer, p95: peer } }),
});

describe('words', () => {
  test.each([
    [
      [row(1, 88), row(1, 1.1), row(1, 0.87), row(1, 0.8), row(1, 1.02)],
      'Faster in 2 of 5, by 1.1 to 88 times; slower in 2; a draw in 1.',
    ],
    [[row(1, 2)], 'Faster in 1 of 1, 2.0 times.'],
    [[row(1, 0.5), row(1, 0.4)], 'Slower in 2 of 2.'],
    [[row(1, 1), row(1, 0.97)], 'A draw in 2 of 2.'],
    [[row(1, 3), row(1, 'wrong')], 'Faster in 1 of 1, 3.0 times; in 1 the answers differed, and nothing was timed.'],
    [[row(1, 'wrong'), row(1, 'wrong')], 'No answers agreed in 2 rows: nothing was timed there.'],
    [[], 'Nothing is measured yet.'],
  ])('the verdict %#', (rows, words) => {
    expect(verdict({ rows, ort: '1.30.0' })).toBe(words);
  });

  test('a machine that was busy is named as one', () => {
    const spread = (ours: number, peer: number): Times => ({
      ours: { us: 1, p95: ours },
      'ort-web': { us: 20, p95: 20 * peer },
    });
    expect(busyNote(shown)).toBe('');
    expect(busyNote({ rows: [] })).toBe('');
    expect(busyNote({ rows: [spread(1.2, 1.5), spread(9, 1.5), spread(1.4, 2)] })).toBe('');
    expect(busyNote({ rows: [spread(1.2, 1.5), spread(9, 1.5), spread(1.4, 7)] })).toMatch(/^This machine was busy/);
    expect(textOf({ ...shown, rows: SHAPES.map(() => spread(4, 4)) })).toMatch(/trust the ratios\.$/);
    expect(textOf(shown)).not.toMatch(/busy|\s$/);
  });

  test('without onnxruntime-web there is nothing to compare with', () => {
    expect(verdict({ rows: [row(1)], ort: '' })).toBe('Measured without onnxruntime-web: nothing to compare with.');
    const rows = SHAPES.map(() => ({ ...row(100), 'ours int8': { us: 50, p95: 60 } }));
    expect(remark({ rows })).toMatch(/32 MB .* 2\.0 times as fast as our float32\.$/);
    expect(remark({ rows: [] })).toBe('');
  });

  test('the numbers as text fit 90 columns and have every row, with the losses named', () => {
    const lines = textOf(shown).split('\n');
    const table = lines.filter((line) => /steps?\b/.test(line) && /\d×/.test(line));
    expect(table).toHaveLength(SHAPES.length);
    expect(Math.max(...lines.slice(3).map((line) => line.length))).toBeLessThanOrEqual(90);
    const lost = shown.rows.filter(
      ({ ours, 'ort-web': peer }) => (peer as { us: number }).us < (ours as { us: number }).us / 1.05,
    );
    expect(table.filter((line) => line.endsWith('slower'))).toHaveLength(lost.length);
    const { head, body } = tableOf({ rows: [row(1, 'wrong')] });
    expect(body[0]).toHaveLength(head.length);
    expect(body[0]).toContain('differs');
    expect(body).toHaveLength(SHAPES.length);
  });

  test('browsers by the names that they give', () => {
    const chrome =
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
    expect(browserOf(chrome)).toEqual({ browser: 'Chromium 156', machine: 'Linux' });
    expect(browserOf(`${chrome} Edg/156.0.1`)).toEqual({ browser: 'Edge 156', machine: 'Linux' });
    const safari =
      'Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Version/19.1 Mobile/15E148 Safari/604.1';
    expect(browserOf(safari)).toEqual({ browser: 'WebKit 19', machine: 'iOS' });
    expect(browserOf('Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:153.0) Gecko/20100101 Firefox/153.0')).toEqual({
      browser: 'Firefox 153',
      machine: 'macOS',
    });
    expect(browserOf('')).toEqual({ browser: 'unknown browser', machine: 'unknown system' });
  });
});

const time = fc
  .tuple(fc.double({ min: 1e-2, max: 1e7, noNaN: true }), fc.double({ min: 1, max: 50, noNaN: true }))
  .map(([us, factor]) => ({ us, p95: us * factor }));
const times = fc.option(fc.oneof(time, fc.constant('wrong' as const)), { nil: undefined });
const rows = fc.array(fc.tuple(times, times, times, times), { minLength: SHAPES.length, maxLength: SHAPES.length });

describe('links', () => {
  test('a result comes back from its link, to a hundredth of a percent', () => {
    const text = linkOf(shown);
    expect(text.length).toBeLessThan(500);
    const back = readLink(text)!;
    expect(back).toMatchObject({
      browser: shown.browser,
      machine: shown.machine,
      date: shown.date,
      thorough: shown.thorough,
      ort: shown.ort,
    });
    expect(verdict(back)).toBe(verdict(shown));
    expect(textOf(back).split('\n').slice(0, 2)).toEqual(textOf(shown).split('\n').slice(0, 2));
  });

  test('any result does', () => {
    fc.assert(
      fc.property(rows, fc.boolean(), (cells, thorough) => {
        const table = cells.map((row) =>
          Object.fromEntries(NAMES.map((name, i) => [name, row[i]]).filter(([, one]) => one)),
        );
        const result: Result = { ...shown, thorough, rows: table as Times[] };
        const back = readLink(linkOf(result))!;
        const near = (a: unknown, b: unknown) => typeof a === 'number' && Math.abs(a / (b as number) - 1) < 2e-4;
        for (const [i, row] of table.entries()) {
          expect(Object.keys(back.rows[i]!)).toEqual(Object.keys(row));
          for (const [name, one] of Object.entries(row)) {
            const read = back.rows[i]![name as 'ours'];
            if (one === 'wrong') expect(read).toBe('wrong');
            else expect(near((read as { us: number }).us, (one as { us: number }).us), name).toBe(true);
          }
        }
        expect(linkOf(back)).toBe(linkOf(result));
      }),
      { numRuns: 200 },
    );
  });

  test('names that are no names are made harmless, and an escaped link is read', () => {
    const back = readLink(linkOf({ ...shown, browser: '<b onmouseover=alert(1)>', machine: '' }))!;
    expect(back.browser).toBe('b onmouseoveralert(1)');
    expect(back.machine).toBe('unknown');
    expect(readLink(linkOf(shown).replace('(', '%28'))!.machine).toBe(shown.machine);
  });

  const good = linkOf(shown).slice(1);
  const change = (index: number, field: string) =>
    `#${good
      .split('.')
      .map((one, i) => (i === index ? field : one))
      .join('.')}`;

  test.each([
    ['nothing', '#fast='],
    ['another version', change(0, 'fast=2')],
    ['markup in a name', change(1, '<img src=x>')],
    ['an endless name', change(1, 'x'.repeat(61))],
    ['a broken escape', change(1, '%E0%A4%A')],
    ['no date', change(3, '20261332')],
    ['a kind that is none', change(4, 'x')],
    ['a sample that is none', change(5, '~~~')],
    ['a version that is none', change(6, '1_x_0')],
    ['a row too few', change(7, good.split('.')[7]!.slice(24))],
    ['a row too many', change(7, `${good.split('.')[7]}${'A'.repeat(24)}`)],
    ['a letter that is no digit', change(7, `!${good.split('.')[7]!.slice(1)}`)],
    ['times that contradict each other', change(7, `zzzAAA${good.split('.')[7]!.slice(6)}`)],
    ['a time that is none', change(7, `____-_${good.split('.')[7]!.slice(6)}`)],
    ['half a beginning', change(8, 'AAA')],
    ['a field too many', `#${good}.x`],
    ['a megabyte', `#fast=${'A'.repeat(1e6)}`],
  ])('%s is refused', (_, hash) => {
    expect(() => readLink(hash)).toThrow(LinkError);
  });

  test('any change of a character is read as a result or refused, and nothing else', () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.string({ minLength: 0, maxLength: 3 }), (at, text) => {
        let result: Result | undefined;
        try {
          result = readLink(`#${good.slice(0, at)}${text}${good.slice(at + 1)}`);
        } catch (error) {
          expect(error).toBeInstanceOf(LinkError);
          return;
        }
        if (!result) return;
        expect(result.rows).toHaveLength(SHAPES.length);
        for (const times of result.rows.flatMap((row) => Object.values(row))) {
          if (times !== 'wrong') expect(times.us > 0 && times.p95 < 1e10).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('other hashes say nothing', () => {
    expect(readLink('')).toBeUndefined();
    expect(readLink('#fast')).toBeUndefined();
    expect(readLink('#voice')).toBeUndefined();
  });
});

test('the recorded run has a time for everybody everywhere, a machine and a date', () => {
  expect(shown.rows).toHaveLength(SHAPES.length);
  for (const row of shown.rows)
    for (const name of NAMES) expect(row[name]).toMatchObject({ us: expect.any(Number), p95: expect.any(Number) });
  expect(shown.machine).toMatch(/\w+ .+/);
  expect(shown.date).toMatch(/^20\d\d-\d\d-\d\d$/);
  expect(shown.start).toMatchObject({ ours: { bytes: expect.any(Number) }, 'ort-web': { bytes: expect.any(Number) } });
});

test('the style sheet reserves the height that the chart has', async () => {
  const { readFileSync } = await import('node:fs');
  const css = readFileSync(new URL('../../src/panels/fast/fast.css', import.meta.url), 'utf8');
  const heights = [...css.matchAll(/\.times \{\s*height: (\d+)px/g)].map(([, height]) => Number(height));
  const group = (stream: boolean) => ({
    title: '',
    note: '',
    rows: SHAPES.filter((one) => one.stream === stream).map(({ label }) => ({ label, times: {} })),
  });
  const height = (width: number) =>
    timeChart({ groups: [group(true), group(false)], width, margin: 20 }, {} as never).height;
  expect(heights).toEqual([height(1440), height(390)]);
  expect(height(820)).toBe(height(1440));
});
