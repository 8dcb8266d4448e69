// The charts in benchmarks/charts/ are drawn from what RESULTS.md says, and README.md shows two of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { recordedRuns } from '../../benchmarks/recorded.mjs';
import { allCharts } from '../../benchmarks/redraw.mjs';

const root = new URL('../..', import.meta.url).pathname;
const folder = join(root, 'benchmarks/charts');
const results = readFileSync(join(root, 'benchmarks/RESULTS.md'), 'utf8');
const runs = recordedRuns(results);

test('a run is read back: median, 95th percentile and ratio of every contestant that has them', () => {
  const text = `<!-- begin peers: Node 24, A CPU -->

### Against the peers: Node 24.21.0

A CPU (avx2); 2026-11-26; one core; a quick run.

Microseconds, median: a step of a stream, or a whole sequence. In brackets: how many times as long as ours.

| shape | ours | plain | ort-web 1.30.0 | brain.js 1.6.1 |
| --- | --- | --- | --- | --- |
| stream 1x8 | 0.2 | 0.5 (2.51) | 16.7 (83.5) | skipped |
| 33x77 T 100 | 342 | 1.96e5 (573) | wrong |  |

The 95th percentile, microseconds:

| shape | ours | plain | ort-web 1.30.0 | brain.js 1.6.1 |
| --- | --- | --- | --- | --- |
| stream 1x8 | 0.3 |  | 37.1 | skipped |
| 33x77 T 100 | 428 | 2.00e5 | wrong |  |

<!-- end peers: Node 24, A CPU -->`;
  expect(recordedRuns(text)).toEqual([
    {
      key: 'Node 24, A CPU',
      runtime: 'Node 24.21.0',
      cpu: 'A CPU (avx2)',
      date: '2026-11-26',
      quick: true,
      versions: { ours: '', plain: '', 'ort-web': '1.30.0', 'brain.js': '1.6.1' },
      shapes: [
        {
          name: 'stream 1x8',
          times: {
            ours: { us: 0.2, p95: 0.3 },
            plain: { us: 0.5, ratio: 2.51 },
            'ort-web': { us: 16.7, p95: 37.1, ratio: 83.5 },
          },
        },
        {
          name: '33x77 T 100',
          times: { ours: { us: 342, p95: 428 }, plain: { us: 196_000, p95: 200_000, ratio: 573 } },
        },
      ],
    },
  ]);
  expect(() => recordedRuns(text.replace('one core', 'two cores'))).toThrow(
    /RESULTS\.md, "peers: Node 24, A CPU": expected a heading/,
  );
});

test('every recorded run has its charts, and what lies in the folder is what is drawn (npm run charts)', () => {
  expect(runs.length).toBeGreaterThanOrEqual(6);
  const charts = allCharts();
  expect(readdirSync(folder).sort()).toEqual(charts.map(([name]) => name).sort());
  const stale = charts.filter(([name, svg]) => readFileSync(join(folder, name!), 'utf8') !== `${svg}\n`);
  expect(stale.map(([name]) => name)).toEqual([]);
});

test('documents show charts that exist, in both themes', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const shown = [
    readme.match(/benchmarks\/charts\/[\w-]+\.svg/g),
    results.match(/(?<=")charts\/[\w-]+\.svg/g)!.map((path) => `benchmarks/${path}`),
  ].flat();
  const names = shown.map((path) => path!.slice('benchmarks/charts/'.length));
  expect([...new Set(names)].sort()).toEqual(readdirSync(folder).sort());
});
