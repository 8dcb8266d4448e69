// Us against the peers, on the same weights and inputs; README.md beside this file has the options.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BROWSER_OPTIONS, hostsFor } from './browser/hosts.mjs';
import { chartsOf, runOf } from './charts.mjs';
import { CONTESTANTS } from './contestants.mjs';
import { LAUNCH_OPTIONS, launch, processor } from './launch.mjs';
import { progress } from './progress.mjs';
import { drawAll, pictureOf } from './redraw.mjs';
import { digits, peersMarkdown, record, save, shortly } from './report.mjs';
import { measureShape } from './run.mjs';
import { nameOf, SHAPES } from './shapes.mjs';

const { values: options } = parseArgs({
  options: {
    ...LAUNCH_OPTIONS,
    ...BROWSER_OPTIONS,
    shapes: { type: 'string', default: '' },
    peers: { type: 'string' },
  },
});
launch(options);

const wanted = options.shapes.split(',').map((text) => text.trim());
const shapes = SHAPES.filter((shape) => wanted.some((text) => nameOf(shape).includes(text)));
if (shapes.length === 0) throw new RangeError(`--shapes: none is called ${options.shapes}`);

for await (const host of hostsFor(options)) {
  const names = choose(host, options.peers);
  const report = {
    runtime: await host.runtime(),
    cpu: processor(),
    date: new Date().toISOString(),
    quick: options.quick,
    shapes: [],
  };
  console.log(`${report.runtime} on ${report.cpu}; median microseconds, and how many times as long as ours`);
  for (const [index, shape] of shapes.entries()) {
    const where = `[${index + 1}/${shapes.length}] ${nameOf(shape)}`;
    const { quick } = options;
    const result = await measureShape(shape, names, host, { quick, progress: (text) => progress(`${where} ${text}`) });
    progress('');
    report.shapes.push(result);
    console.log(`${where}: ${result.results.map(summary).join(', ')}`);
  }
  await host.end();
  finish(report);
}

/** Prints and saves a report, with --record in RESULTS.md too. */
function finish(report) {
  const markdown = peersMarkdown(report);
  const file = save('peers', report, markdown);
  const charts = Object.entries(chartsOf(runOf(report)) ?? {});
  for (const [theme, svg] of charts) writeFileSync(`${file}-${theme}.svg`, `${svg}\n`);
  console.log(`\n${markdown}\n\nsaved as ${file}.json, .md${charts.map(([theme]) => `, -${theme}.svg`).join('')}`);
  if (!options.record) return;
  record('peers', report, [markdown, ...(charts.length > 0 ? [pictureOf(shortly(report))] : [])].join('\n\n'));
  drawAll();
}

/** Us first, in every form; then the peers that were asked for, or all that can run where we run. */
function choose(host, list) {
  const runnable = Object.keys(CONTESTANTS).filter((name) => host.where === 'node' || CONTESTANTS[name].browser);
  if (list === undefined) return runnable;
  const asked = list.split(',').map((name) => name.trim());
  for (const name of asked) {
    if (!runnable.includes(name)) throw new RangeError(`--peers: expected some of ${runnable.join(', ')}, got ${name}`);
  }
  return runnable.filter((name) => name === 'ours' || asked.includes(name));
}

function summary({ name, status, median, ratio, error }) {
  if (status === 'wrong') return `${name} WRONG by ${error.toExponential(1)}`;
  if (median === undefined) return `${name} ${status}`;
  return name === 'ours' || !ratio ? `${name} ${digits(median)}` : `${name} ${digits(median)} (${digits(ratio)}x)`;
}
