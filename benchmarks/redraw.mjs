// Draws the charts of README.md and RESULTS.md from the tables of RESULTS.md. Measures nothing.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chartsOf, readmeRun } from './charts.mjs';
import { recordedRuns } from './recorded.mjs';

const FOLDER = new URL('charts/', import.meta.url);
/** The run that README.md quotes. */
const README_RUN = 'Node 24, AMD EPYC, family 25 model 17';

const nameOf = (key) => `peers-${key.toLowerCase().replace(/\W+/g, '-')}`;

/** A recorded run's chart as RESULTS.md shows it, after the reader's theme. */
export function pictureOf(key) {
  const [light, dark] = ['light', 'dark'].map((theme) => `charts/${nameOf(key)}-${theme}.svg`);
  return `<picture><source media="(prefers-color-scheme: dark)" srcset="${dark}"><img alt="How many times as long as lstm-wasm each one takes: ${key}" src="${light}"></picture>`;
}

/** File names in charts/ and what they have in them. */
export function allCharts() {
  const runs = recordedRuns(readFileSync(new URL('RESULTS.md', import.meta.url), 'utf8'));
  const quoted = runs.find(({ key }) => key === README_RUN);
  if (!quoted) throw new Error(`RESULTS.md has no section "peers: ${README_RUN}", of which README.md shows a chart`);
  const named = [['how-fast', readmeRun(quoted)], ...runs.map((run) => [nameOf(run.key), run])];
  return named.flatMap(([name, run]) =>
    Object.entries(chartsOf(run) ?? {}).map(([theme, svg]) => [`${name}-${theme}.svg`, svg]),
  );
}

/** Draws them all, and removes what is no longer among them. */
export function drawAll() {
  const charts = allCharts();
  mkdirSync(FOLDER, { recursive: true });
  const names = charts.map(([name]) => name);
  for (const old of readdirSync(FOLDER)) if (!names.includes(old)) rmSync(new URL(old, FOLDER));
  for (const [name, svg] of charts) writeFileSync(new URL(name, FOLDER), `${svg}\n`);
  return names;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(`${drawAll().length} charts in benchmarks/charts/`);
