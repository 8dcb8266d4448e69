import { plot } from 'asciichart';
import { SingleBar } from 'cli-progress';
import { about, CliError, refuseCall } from '../errors.ts';
import { refuseOver, writeWhole } from '../files.ts';
import type { AnyValue, Progress, Runner } from '../model.ts';
import { type OpenChoices, openModel } from '../open.ts';
import { colour, drawTable, terminalWidth } from '../table.ts';
import { escapeText, formatCount, formatDims, product, threeDigits } from '../text.ts';
import { fitFeeds } from '../values/fit.ts';
import { checkStandardInput, readInput, readSets } from '../values/inputs.ts';
import { type Format, formatOf, writeValues } from '../values/write.ts';

export interface RunOptions extends OpenChoices {
  readonly input: readonly string[];
  readonly output?: string;
  readonly format?: Format;
  readonly pick?: string;
  readonly set?: readonly string[];
  readonly knob?: readonly number[];
  readonly lstm?: string;
  readonly head?: string;
  readonly int8?: boolean;
  readonly plot?: boolean;
}

/** Runs a model on files of inputs, and writes what it gives. */
export async function run(path: string, options: RunOptions): Promise<void> {
  const { output, input: inputs } = options;
  checkStandardInput(path, inputs);
  const format = output === undefined ? undefined : (options.format ?? formatOf(output));
  const { lstm, head, int8, knob: knobs = [] } = options;
  const model = await openModel(path, options);
  const runner = about(path, () => model.runner({ lstm, head, int8: int8 ?? false, knobs }));
  try {
    const given = inputs.map((each) => readInput(each, runner));
    if (output !== undefined) refuseOver(output);
    const feeds = about(path, () => fitFeeds(runner.inputs, given, readSets(options.set)));
    const sampleRate = given.map(({ values }) => values.sampleRate).find((rate) => rate !== undefined);
    warnOfRate(runner, sampleRate);
    const results = await about(path, () => withProgress((go) => runner.run(feeds, go)));
    const name = chooseOutput(runner, results, options.pick);
    if (output !== undefined) {
      const bytes = about(output, () => writeValues(format!, results, name, sampleRate ?? runner.sampleRate));
      await writeWhole(output, bytes);
      const written = format === 'json' ? Object.keys(results) : [name];
      const list = written.map((each) => `${each} ${formatDims(results[each]!.dims)}`).join(', ');
      if (output !== '-') process.stdout.write(`${colour.green('wrote')} ${escapeText(`${output}: ${list}`)}\n`);
    } else if (!options.plot) process.stdout.write(`${summary(results)}\n`);
    if (options.plot) {
      const stream = output === '-' ? process.stderr : process.stdout;
      stream.write(`${drawPlot(name, results[name]!)}\n`);
    }
  } finally {
    runner.dispose();
  }
}

function warnOfRate({ sampleRate }: Runner, found: number | undefined): void {
  if (sampleRate === undefined || found === undefined || sampleRate === found) return;
  const advice = 'it will sound different, so resample the file first';
  process.stderr.write(
    `lstm-wasm: warning: the model was trained at ${formatCount(sampleRate)} Hz, the file has ${formatCount(found)}: ${advice}\n`,
  );
}

function chooseOutput(
  { outputs }: Runner,
  results: Readonly<Record<string, AnyValue>>,
  pick: string | undefined,
): string {
  const name = pick ?? outputs[0]!;
  if (!results[name]) refuseCall(`--pick expects an output, of ${outputs.join(', ')}; got ${JSON.stringify(name)}`);
  return name;
}

/** Shows how far it is, on a terminal, once it takes long enough to be seen. */
async function withProgress<T>(work: (go: Progress) => Promise<T>): Promise<T> {
  const { stderr } = process;
  const format = `${colour.cyan('{bar}')} {percentage} % | {eta_formatted} left`;
  const bar = stderr.isTTY
    ? new SingleBar({
        format,
        stream: stderr,
        hideCursor: false,
        // a program that is stopped leaves the terminal as it was
        linewrap: true,
        clearOnComplete: true,
        barCompleteChar: '█',
        barIncompleteChar: '░',
      })
    : undefined;
  let isShown = false;
  let shownAt = Date.now();
  const go: Progress = async (done) => {
    if (Date.now() - shownAt < 50) return;
    shownAt = Date.now();
    if (bar && !isShown && done < 1) {
      bar.start(1000, 0);
      isShown = true;
    }
    if (isShown) bar!.update(Math.floor(1000 * done));
    await new Promise(setImmediate);
  };
  try {
    return await work(go);
  } finally {
    if (isShown) bar!.stop();
  }
}

/** Numbers of an output that are shown. */
const SHOWN = 4;

function summary(results: Readonly<Record<string, AnyValue>>): string {
  const rows = Object.entries(results).map(([name, { data, dims }]) => {
    const numbers = Array.from(data as Float32Array, Number);
    const [least, most] = numbers.reduce(
      ([low, high], x) => [Math.min(low, x), Math.max(high, x)],
      [Infinity, -Infinity],
    );
    const first = numbers.slice(0, SHOWN).map(threeDigits).join(' ') + (numbers.length > SHOWN ? ' …' : '');
    return [
      name,
      formatDims(dims),
      numbers.length > 0 ? threeDigits(least) : '-',
      numbers.length > 0 ? threeDigits(most) : '-',
      first,
    ];
  });
  const columns = [
    { title: 'output' },
    { title: 'shape' },
    { title: 'least', right: true },
    { title: 'most', right: true },
    { title: 'first' },
  ];
  return drawTable(columns, rows, 0);
}

/** The most columns of an output that are drawn. */
const LINES = 4;
const HEIGHT = 12;
/** The columns that the numbers beside a plot take. */
const LABELS = 12;

/** Draws an output over its steps, a line for each column. */
function drawPlot(name: string, { data, dims }: AnyValue): string {
  const width = dims.length > 1 ? dims.at(-1)! : 1;
  const steps = width === 0 ? 0 : product(dims) / width;
  if (steps === 0) throw new CliError(`${name} has no numbers to plot`);
  const room = Math.max(10, (terminalWidth() ?? 80) - LABELS);
  const lines = Array.from({ length: Math.min(width, LINES) }, (_, column) => {
    return squeeze(
      Float64Array.from({ length: steps }, (_, t) => Number(data[t * width + column])),
      room,
    );
  });
  const finite = lines.flat().filter(Number.isFinite);
  if (finite.length === 0) throw new CliError(`${name} has no finite numbers to plot`);
  const paint = [colour.cyan, colour.yellow, colour.green, colour.magenta];
  const marks = ['\u001b[36m', '\u001b[33m', '\u001b[32m', '\u001b[35m'];
  const isColoured = colour.isColorSupported;
  const graph = plot(lines.length === 1 ? lines[0]! : lines, {
    height: HEIGHT,
    format: (value: number) => threeDigits(value).padStart(LABELS - 3),
    ...(isColoured ? { colors: marks } : {}),
  });
  const columns = lines.map((_, i) => paint[i]!(String(i))).join(' ');
  const legend = width === 1 ? '' : ` ${columns}${width > LINES ? ` of ${width}` : ''}`;
  const trimmed = graph.replace(/[^\S\n]+$/gm, '');
  return `${trimmed}\n${' '.repeat(LABELS)}${escapeText(name)}${legend}, ${formatCount(steps)} steps`;
}

/** Makes a line of at most `room` points: of each group of steps, the one that is farthest from the mean of all. */
function squeeze(line: Float64Array, room: number): number[] {
  if (line.length <= room) return [...line].map((x) => (Number.isFinite(x) ? x : Number.NaN));
  const mean = line.reduce((a, b) => a + b, 0) / line.length;
  return Array.from({ length: room }, (_, i) => {
    const group = line.subarray(Math.floor((i * line.length) / room), Math.floor(((i + 1) * line.length) / room));
    return group.reduce((far, x) => (Math.abs(x - mean) > Math.abs(far - mean) ? x : far), group[0]!);
  });
}
