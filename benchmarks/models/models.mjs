// Whole ONNX models, the files as they are, against the peers; README.md of the folder above has the options.
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BROWSER_OPTIONS, hostsFor } from '../browser/hosts.mjs';
import { LAUNCH_OPTIONS, launch, processor } from '../launch.mjs';
import { progress } from '../progress.mjs';
import { record, save } from '../report.mjs';
import { MODELS } from './list.mjs';
import { modelsMarkdown, summary } from './report.mjs';
import { contestantsAt, measureModel } from './run.mjs';

const { values: options } = parseArgs({
  options: {
    ...LAUNCH_OPTIONS,
    ...BROWSER_OPTIONS,
    models: { type: 'string', default: '' },
    peers: { type: 'string' },
  },
});
launch(options);

const wanted = options.models.split(',').map((text) => text.trim());
const models = MODELS.filter(({ name }) => wanted.some((text) => name.includes(text)));
if (models.length === 0) throw new RangeError(`--models: none is called ${options.models}`);
const path = (name) => fileURLToPath(new URL(name, import.meta.url));

for await (const host of hostsFor(options, { child: path('child.mjs'), page: path('page.mjs') })) {
  const names = choose(host);
  const report = {
    where: host.where,
    runtime: await host.runtime(),
    cpu: processor(),
    date: new Date().toISOString(),
    quick: options.quick,
    load: loadavg()[0],
    cores: cpus().length,
    models: [],
  };
  console.log(`${report.runtime} on ${report.cpu}; median microseconds, and how many times as long as ours`);
  for (const [index, model] of models.entries()) {
    const where = `[${index + 1}/${models.length}]`;
    const { quick } = options;
    const show = (text) => progress(`${where} ${model.name} ${text}`);
    const result = await measureModel(model, names, host, { quick, progress: show });
    progress('');
    report.models.push(result);
    console.log(`${where} ${summary(result)}`);
  }
  await host.end();
  const markdown = modelsMarkdown(report);
  console.log(`\n${markdown}\n\nsaved as ${save('models', report, markdown)}.json, .md\n`);
  if (options.record) record('models', report, markdown);
}

/** Us, in every form; and the peers that were asked for, or all that run there. */
function choose(host) {
  const runnable = contestantsAt(host);
  const asked = options.peers?.split(',').map((name) => name.trim()) ?? runnable;
  for (const name of asked) {
    if (!runnable.includes(name)) throw new RangeError(`--peers: expected some of ${runnable.join(', ')}, got ${name}`);
  }
  return runnable.filter((name) => name === 'ours' || asked.includes(name));
}
