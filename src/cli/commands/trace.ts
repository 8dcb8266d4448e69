import type { DirectionTrace, LayerTrace, TensorLike } from '../../index.ts';
import { about, CliError, refuseCall } from '../errors.ts';
import { refuseOver, writeWhole } from '../files.ts';
import { drawHeatMaps, type HeatMap } from '../heat-map.ts';
import type { AnyValue, FoundLstm, Model, Tracer } from '../model.ts';
import { checkInput, makeLstm, startFor } from '../models/lstm-runner.ts';
import { type OpenChoices, openModel } from '../open.ts';
import { colour, drawTable } from '../table.ts';
import { escapeText, formatDims, threeDigits } from '../text.ts';
import { fitFeeds } from '../values/fit.ts';
import { checkStandardInput, readInput, readSets } from '../values/inputs.ts';
import { readValues } from '../values/read.ts';
import { type Format, formatOf, writeValues } from '../values/write.ts';

export interface TraceOptions extends OpenChoices {
  readonly input: readonly string[];
  readonly set?: readonly string[];
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
  /** The number of a layer, or the name of a node. */
  readonly owner: string;
  readonly direction: 'forward' | 'reverse';
  readonly values: DirectionTrace;
}

/** What a command shows. */
interface Shown {
  readonly traced: readonly Traced[];
  /** The results of the run. */
  readonly results: Readonly<Record<string, AnyValue>>;
  /** The owner of what is drawn, and written where none is picked. */
  readonly chosen: string;
  /** The title of the picture. */
  readonly title: string;
}

/** Shows the gates and states of the LSTMs of a model over the steps of an input. */
export async function trace(path: string, options: TraceOptions): Promise<void> {
  const { input: inputs, output, svg } = options;
  checkStandardInput(path, inputs);
  if (output !== undefined && output === svg) refuseCall('--output and --svg need a file each');
  const format = output === undefined ? undefined : (options.format ?? formatOf(output));
  const model = await openModel(path, options);
  const { traced, results, chosen, title } = model.tracer
    ? traceModel(path, model.tracer, options)
    : traceLstm(path, model, options);
  const all: Record<string, AnyValue> = Object.fromEntries(
    traced.flatMap((each) => Object.entries(each.values).map(([name, value]) => [nameOf(each, name), value])),
  );
  for (const [name, value] of Object.entries(results)) all[name] ??= value;
  if (svg !== undefined) {
    const picture = about(path, () =>
      draw(
        title,
        traced.filter(({ owner }) => owner === chosen),
      ),
    );
    await writeWhole(svg, picture);
    if (svg !== '-') process.stdout.write(`${colour.green('wrote')} ${escapeText(svg)}\n`);
  }
  if (output !== undefined) {
    const name = options.pick ?? `${chosen}.c`;
    if (!all[name]) refuseCall(`--pick expects one of ${Object.keys(all).join(', ')}; got ${JSON.stringify(name)}`);
    await writeWhole(output, writeValues(format!, all, name, undefined));
    const written = format === 'json' ? 'all values' : `${name} ${formatDims(all[name]!.dims)}`;
    if (output !== '-') process.stdout.write(`${colour.green('wrote')} ${escapeText(`${output}: ${written}`)}\n`);
  }
  if (output === undefined && svg === undefined) process.stdout.write(`${describe(traced)}\n`);
}

function refuseOutputs({ output, svg }: TraceOptions): void {
  for (const each of [output, svg]) if (each !== undefined) refuseOver(each);
}

/** Runs a whole model, and traces its LSTMs. */
function traceModel(path: string, makeTracer: () => Tracer, options: TraceOptions): Shown {
  if (options.layer !== undefined) refuseCall('--layer is for LSTMs of several layers: --lstm names one of this model');
  const tracer = about(path, makeTracer);
  try {
    const given = options.input.map((each) => readInput(each, tracer));
    refuseOutputs(options);
    const feeds = about(path, () => fitFeeds(tracer.inputs, given, readSets(options.set)));
    const { outputs, nodes } = about(path, () => tracer.trace(feeds));
    const names = Object.keys(nodes);
    if (names.length === 0) throw new CliError('no LSTM ran: there is nothing to trace');
    const { lstm } = options;
    if (lstm !== undefined && !nodes[lstm])
      refuseCall(`--lstm expects one of ${names.join(', ')}; got ${JSON.stringify(lstm)}`);
    const shown = lstm === undefined ? names : [lstm];
    const chosen = shown.at(-1)!;
    return {
      traced: shown.flatMap((name) => directionsOf(name, nodes[name]!)),
      results: outputs,
      chosen,
      title: chosen,
    };
  } finally {
    tracer.dispose();
  }
}

/** Runs one LSTM of a model alone. */
function traceLstm(path: string, { lstms }: Model, options: TraceOptions): Shown {
  if (options.set) refuseCall('--set is for models of several inputs, an LSTM has one');
  const found = about(path, () => chooseLstm(lstms, options.lstm));
  const lstm = about(path, () => makeLstm(found));
  try {
    const [only, ...others] = options.input.map((each) => readValues(each));
    refuseOutputs(options);
    if (others.length > 0) refuseCall('an LSTM has one --input');
    const x = about(path, () => checkInput(inputOf(only!.values), lstm.inputSize));
    const { output, hn, cn, layers } = about(path, () => lstm.trace(x, startFor(found.initialState, x)));
    const { layer = layers.length - 1 } = options;
    if (!layers[layer]) refuseCall(`--layer expects 0 to ${layers.length - 1}, got ${layer}`);
    return {
      traced: layers.flatMap((each, k) => directionsOf(`${k}`, each)),
      results: { output, hn, cn },
      chosen: `${layer}`,
      title: `${found.name}, layer ${layer}`,
    };
  } finally {
    lstm.dispose();
  }
}

function directionsOf(owner: string, { forward, reverse }: LayerTrace): Traced[] {
  const both: Traced[] = [{ owner, direction: 'forward', values: forward }];
  if (reverse) both.push({ owner, direction: 'reverse', values: reverse });
  return both;
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
function nameOf({ owner, direction }: Traced, name: string): string {
  return direction === 'forward' ? `${owner}.${name}` : `${owner}.reverse.${name}`;
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
function draw(title: string, traced: readonly Traced[]): string {
  const maps = traced.flatMap((each) =>
    Object.entries(each.values).map(([value, tensor]: [string, TensorLike]): HeatMap => {
      const { data, width } = firstOf(tensor);
      const label = each.direction === 'reverse' ? `${value} ←` : value;
      return { title: label, data, width, range: rangeOf(value as Name, data) };
    }),
  );
  return drawHeatMaps(`${title}: gates i, f, g, o, cell state c and output h over time`, maps);
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
