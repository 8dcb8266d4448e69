import { Config } from './config.ts';
import type { KeptState, Tensor } from './graph.ts';
import type { Dialect, LayerPlan, Part } from './plan.ts';
import { outputShape } from './recurrence.ts';
import { addLayer, checkInputs, takeStates } from './recurrent.ts';
import { type RecurrentConfig, readRecurrentConfig, stateCount } from './recurrent-config.ts';
import { turnSteps } from './recurrent-masks.ts';
import { checkOutput } from './shapes.ts';
import { toSnakeCase } from './snake-case.ts';

/** Options of an RNN, which the layer of its cell has itself. */
const OPTIONS = [
  'return_sequences',
  'return_state',
  'go_backwards',
  'stateful',
  'time_major',
  'unroll',
  'zero_output_for_mask',
];

/** A cell of an RNN: the options of the layer that it makes, and where its weights are. */
interface Cell {
  readonly config: RecurrentConfig;
  readonly part: Part;
}

/** Reads keras.layers.RNN of a cell, of several, or of StackedRNNCells of them: each takes the outputs of the one before. */
export function readRnn(config: Config, name: string, dialect: Dialect): LayerPlan | undefined {
  const cell = config.get('cell');
  const isStack = !cell.isArray && cell.get('class_name').value === 'StackedRNNCells';
  const list = cell.isArray ? cell : isStack ? cell.get('config').get('cells') : undefined;
  const fields = list ? list.items() : [cell];
  if (fields.length === 0) list!.refuse('wrong-value', 'at least one cell', 'none');
  const cells: Cell[] = [];
  let before = 0;
  for (const [i, field] of fields.entries()) {
    const className = field.get('class_name').string();
    const own = field.get('config');
    const shared = Object.fromEntries(OPTIONS.map((key) => [key, config.get(key).value]));
    const merged = new Config(own.path, { ...(own.value as object), ...shared, implementation: null });
    const isLast = i === fields.length - 1;
    const [, layer = ''] = className.match(/^(LSTM|GRU|SimpleRNN)Cell$/) ?? [];
    const read = readRecurrentConfig(layer, merged, name, dialect);
    if (!read) {
      dialect.unsupported(`RNN of ${className} (${name})`);
      continue;
    }
    const options = { ...read, goBackwards: false, returnSequences: !isLast || read.returnSequences };
    // names of a list's elements in .keras files: the class, and from its second on a number
    const same = cells.filter(({ config: { cell } }) => cell === read.cell).length;
    const folder = list ? `cell/cells/${toSnakeCase(className)}${same > 0 ? `_${same}` : ''}` : 'cell';
    const part = list ? { folder, cell: { index: i, before } } : { folder };
    cells.push({ config: options, part });
    before += options.useBias ? 3 : 2;
  }
  if (cells.length < fields.length) return undefined;
  const backwards = config.get('go_backwards').boolean(false);
  const returnState = config.get('return_state').boolean(false);
  const last = cells.at(-1)!.config;
  // TensorFlow.js lists the states of the last cell first
  const order = [...cells.keys()];
  if (dialect.tfjs) order.reverse();
  const kept = cells.map((): { states: readonly KeptState[] | undefined } => ({ states: undefined }));
  const configs = order.map((i) => cells[i]!.config);
  const all = countStates(configs);
  return {
    inputs: [1, 1 + all],
    outputs: returnState ? 1 + all : 1,
    build([sequence, ...given], building) {
      const { graph } = building;
      const shapes = checkInputs(name, sequence!.shape, given, configs);
      const initial = takeStates(graph, name, given, sequence!.slot, configs);
      let tensor: Tensor = backwards ? turnSteps(graph, sequence!) : sequence!;
      const states = new Array<readonly number[]>(cells.length);
      for (const [i, { config, part }] of cells.entries()) {
        const at = countStates(configs.slice(0, order.indexOf(i)));
        const own = initial.slice(at, at + stateCount(config));
        const result = addLayer(name, config, part, tensor, own, building, kept[i]!);
        states[i] = result.states;
        const { shape } = tensor;
        tensor = { slot: result.slot, shape: outputShape(shape, config, config.units), mask: tensor.mask };
      }
      const { shape } = sequence!;
      const output = checkOutput(name, outputShape(shape, last, last.units));
      const outputs: Tensor[] = [
        { slot: tensor.slot, shape: output, mask: last.returnSequences ? sequence!.mask : undefined },
      ];
      if (!returnState) return outputs;
      const ends = order.flatMap((i) => states[i]!);
      return [...outputs, ...ends.map((slot, i) => ({ slot, shape: shapes[i]! }))];
    },
  };
}

function countStates(configs: readonly RecurrentConfig[]): number {
  return configs.reduce((sum, config) => sum + stateCount(config), 0);
}
