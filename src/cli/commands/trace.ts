import type { DirectionTrace, TensorLike } from '../../index.ts';
import { about, CliError, refuseCall } from '../errors.ts';
import { refuseOver, writeWhole } from '../files.ts';
import { drawHeatMaps, type HeatMap } from '../heat-map.ts';
import type { AnyValue, FoundLstm } from '../model.ts';
import { checkInput, makeLstm, startFor } from '../models/lstm-runner.ts';
import { type OpenChoices, openModel } from '../open.ts';
import { colour, drawTable } from '../table.ts';
import { escapeText, formatDims, threeDigits } from '../text.ts';
import { readValues } from '../values/read.ts';
import { type Format, formatOf, writeValues } from '../values/write.ts';

export interface TraceOptions extends OpenChoices {
  readonly input: string;
  readonly lstm?: string;
  readonly output?: string;
  readonly format?: Format;
  readonly pick?: string;
  readonly svg?: string;
  readonly layer?: number;
}

/** The meanings of the names of traced values. */
const NAMES = { i: 'input gate', f: 'forget gate', g: 'cell gate', o: 'output gate', c: 'cell state', h: 'output' };
type Name = keyof typeof NAMES;

interface Traced {
  readonly layer: number;
  readonly direction: 'forward' | 'reverse';
  readonly values: DirectionTrace;
}

/** Shows the gates and states of an LSTM of a model over the steps of an input, which goes to this LSTM. */
export async function trace(path: string, options: TraceOptions): Promise<void> {
  const { input, output, svg } = options;
  if (path === '-' && input === '-') refuseCall('standard input can be read once');
  if (output !== undefined && output === svg) refuseCall('--output and --svg need a file each');
  const format = output === undefined ? undefined : (options.format ?? formatOf(output));
  const model = await openModel(path, options);
  const found = about(path, () => chooseLstm(model.lstms, options.lstm));
  const lstm = about(path, () => makeLstm(found));
  try {
    const values = readValues(input);
    for (const each of [output, svg]) if (each !== undefined) refuseOver(each);
    const x = about(path, () => checkInput(inputOf(values.values), lstm.inputSize));
    const { output: result, hn, cn, layers } = about(path, () => lstm.trace(x, startFor(found.initialState, x)));
    const traced = layers.flatMap(({ forward, reverse }, layer): Traced[] => [
      { layer, direction: 'forward', values: forward },
      ...(reverse ? [{ layer, direction: 'reverse' as const, values: reverse }] : []),
    ]);
    const results: Record<string, AnyValue> = Object.fromEntries(
      traced.flatMap((each) => Object.entries(each.values).map(([name, value]) => [nameOf(each, name), value])),
    );
    Object.assign(results, { output: result, hn, cn });
    if (svg !== undefined) {
      const picture = about(path, () => draw(found.name, traced, options.layer ?? layers.length - 1));
      await writeWhole(svg, picture);
      if (svg !== '-') process.stdout.write(`${colour.green('wrote')} ${escapeText(svg)}\n`);
    }
    if (output !== undefined) {
      const name = options.pick ?? `${layers.length - 1}.c`;
      if (!results[name]) {
        refuseCall(`--pick expects one of ${Object.keys(results).join(', ')}; got ${JSON.stringify(name)}`);
      }
      await writeWhole(output, writeValues(format!, results, name, undefined));
      const written = format === 'json' ? 'all values' : `${name} ${formatDims(results[name]!.dims)}`;
      if (output !== '-') process.stdout.write(`${colour.green('wrote')} ${escapeText(`${output}: ${written}`)}\n`);
    }
    if (output === undefined && svg === undefined) process.stdout.write(`${describe(traced)}\n`);
  } finally {
    lstm.dispose();
  }
}

/** The one value of an input file. */
function inputOf(values: ReadonlyMap<string, AnyValue>): AnyValue {
  if (values.size !== 1) throw new CliError(`an LSTM has one input, the file has ${values.size}`);
  return [...values.values()][0]!;
}

function chooseLstm(lstms: readonly FoundLstm[], name: string | undefined): FoundLstm {
  const usable = lstms.filter(({ weights }) => weights);
  if (usable.length === 0) throw new CliError(lstms[0]?.why ?? 'it has no LSTM that can be traced');
  const names = usable.map((lstm) => lstm.name);
  if (name === undefined && usable.length > 1)
    refuseCall(`--lstm expects one of ${names.join(', ')}: there are several`);
  const found = usable.find((lstm) => name === undefined || lstm.name === name);
  return found ?? refuseCall(`--lstm expects one of ${names.join(', ')}; got ${JSON.stringify(name)}`);
}

/** Names a value: `0.f` is the forget gate of the first layer, `0.reverse.f` that of its other direction. */
function nameOf({ layer, direction }: Traced, name: string): string {
  return direction === 'forward' ? `${layer}.${name}` : `${layer}.reverse.${name}`;
}

/** A gate is taken to be open or shut within this of its ends. */
const NEAR = 0.05;

function describe(traced: readonly Traced[]): string {
  const columns = [
    { title: 'value' },
    { title: '' },
    { title: 'shape' },
    { title: 'least', right: true },
    { title: 'mean', right: true },
    { title: 'most', right: true },
    { title: 'near 0', right: true },
    { title: 'near ±1', right: true },
  ];
  const rows = traced.flatMap((each) =>
    Object.entries(each.values).map(([name, { data, dims }]: [string, TensorLike]) => {
      let [least, most, sum, shut, open] = [Infinity, -Infinity, 0, 0, 0];
      for (const x of data) {
        least = Math.min(least, x);
        most = Math.max(most, x);
        sum += x;
        if (Math.abs(x) < NEAR) shut++;
        if (Math.abs(x) > 1 - NEAR) open++;
      }
      const share = (count: number) => `${Math.round((100 * count) / data.length)} %`;
      const numbers = [least, sum / data.length, most].map(threeDigits);
      return [nameOf(each, name), NAMES[name as Name], formatDims(dims), ...numbers, share(shut), share(open)];
    }),
  );
  return drawTable(columns, rows, 0);
}

/** Draws a layer: time to the right, a unit a row, of the first sequence of a batch. */
function draw(name: string, traced: readonly Traced[], layer: number): string {
  const chosen = traced.filter((each) => each.layer === layer);
  if (chosen.length === 0) refuseCall(`--layer expects 0 to ${traced.at(-1)!.layer}, got ${layer}`);
  const maps = chosen.flatMap((each) =>
    Object.entries(each.values).map(([value, tensor]: [string, TensorLike]): HeatMap => {
      const { data, width } = firstOf(tensor);
      const title = each.direction === 'reverse' ? `${value} ←` : value;
      return { title, data, width, range: rangeOf(value as Name, data) };
    }),
  );
  return drawHeatMaps(`${name}, layer ${layer}: gates i, f, g, o, cell state c and output h over time`, maps);
}

function rangeOf(name: Name, data: Float32Array): readonly [number, number] {
  if (name === 'i' || name === 'f' || name === 'o') return [0, 1];
  if (name !== 'c') return [-1, 1];
  const most = data.reduce((most, x) => Math.max(most, Math.abs(x) || 0), 0);
  return [-(most || 1), most || 1];
}

/** The first sequence of (T, B, width) or (T, width). */
function firstOf({ data, dims }: TensorLike): { data: Float32Array; width: number } {
  const width = dims.at(-1)!;
  if (dims.length === 2) return { data, width };
  const [steps, batch] = dims as [number, number, number];
  const first = new Float32Array(steps * width);
  for (let t = 0; t < steps; t++) first.set(data.subarray(t * batch * width, t * batch * width + width), t * width);
  return { data: first, width };
}
