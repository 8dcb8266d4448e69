import { describe, expect, test } from 'vitest';
import { Conv1d, Linear, LSTM, LSTMCell } from '../../src/index.ts';
import { refusal } from '../support/refusals.ts';
import { type Any, zeros } from '../support/tensors.ts';

// State dicts as people bring them: each is refused, with what it is and the next step.

const dict = (ih: number[], hh: number[], rows: number) => ({
  weight_ih_l0: zeros(...ih),
  weight_hh_l0: zeros(...hh),
  bias_ih_l0: zeros(rows),
  bias_hh_l0: zeros(rows),
});
const { weight_hh_l0, ...withoutRecurrent } = dict([16, 3], [16, 4], 16);
const own = () => new LSTM(3, 4, { seed: 1 }).stateDict();
const GRU = 'keys of GRU: use GRU of lstm-wasm/gru';
const GRU_CELL = 'keys of GRUCell: use GRUCell of lstm-wasm/gru';
const RNN = 'keys of RNN: use RNN of lstm-wasm/gru';
const TURNED = 'matrices are transposed, as in Keras; transpose them to [4H, *]';
const NORM = 'weight_norm: remove it in PyTorch, or compute weight = g v / |row of v| (g is original0, v original1)';
const KERAS = 'keys of Keras: use loadKeras, or transpose kernel to weight_ih_l0 and recurrent_kernel to weight_hh_l0';
const TENSOR = 'expected a tensor { data: Float32Array, dims: number[] }, got';

const cases: [string, Any, string, string][] = [
  ['an empty object', {}, 'missing-key', 'the state dict is empty, as { ...map } is; pass the Map itself'],
  ['spread Maps', { ...own(), ...own() }, 'missing-key', 'the state dict is empty'],
  ['a GRU whose rows are fours', dict([12, 3], [12, 4], 12), 'wrong-shape', GRU],
  ['a GRU', dict([15, 3], [15, 5], 15), 'wrong-shape', GRU],
  ['a GRU of one unit', dict([3, 3], [3, 1], 3), 'wrong-shape', GRU],
  ['an RNN', dict([4, 3], [4, 4], 4), 'wrong-shape', RNN],
  ['an RNN of 5 units', dict([5, 3], [5, 5], 5), 'wrong-shape', RNN],
  ["Keras's layout", dict([3, 16], [4, 16], 16), 'wrong-shape', TURNED],
  ["Keras's layout, rows in fours", dict([8, 16], [4, 16], 16), 'wrong-shape', TURNED],
  ["Keras's names", { kernel: zeros(3, 16), recurrent_kernel: zeros(4, 16), bias: zeros(16) }, 'missing-key', KERAS],
  ["a file of Keras's", { 'lstm/lstm_cell/kernel:0': zeros(3, 16) }, 'missing-key', KERAS],
  ['an LSTMCell', new LSTMCell(3, 4).stateDict(), 'missing-key', 'keys of LSTMCell: use LSTMCell'],
  ['an LSTMCell in a module', new LSTMCell(3, 4).stateDict('a.'), 'missing-key', 'use LSTMCell'],
  ['a GRUCell', { weight_ih: zeros(12, 3), weight_hh: zeros(12, 4) }, 'missing-key', GRU_CELL],
  [
    'weight_norm of torch 2',
    {
      ...withoutRecurrent,
      'parametrizations.weight_hh_l0.original0': zeros(16, 1),
      'parametrizations.weight_hh_l0.original1': weight_hh_l0,
    },
    'state-dict-mismatch',
    NORM,
  ],
  [
    'weight_norm of torch 1',
    { ...withoutRecurrent, weight_hh_l0_g: zeros(16, 1), weight_hh_l0_v: weight_hh_l0 },
    'state-dict-mismatch',
    NORM,
  ],
  [
    'AWD-LSTM',
    { ...withoutRecurrent, weight_hh_l0_raw: weight_hh_l0 },
    'state-dict-mismatch',
    'weight_hh_l0_raw of AWD-LSTM is weight_hh_l0: rename it',
  ],
  [
    "AWD-LSTM in fastai's wrapper",
    { weight_hh_l0_raw: weight_hh_l0, 'module.weight_ih_l0': zeros(16, 3), 'module.weight_hh_l0': weight_hh_l0 },
    'missing-key',
    'weight_hh_l0_raw of AWD-LSTM is weight_hh_l0: rename it',
  ],
  [
    'a prefix',
    new LSTM(3, 4).stateDict('lstm.'),
    'missing-key',
    'LSTM: weights were found at prefix "lstm."; missing key "weight_ih_l0"',
  ],
  [
    'a prefix beside weight_norm of another layer',
    { ...Object.fromEntries(new LSTM(3, 4).stateDict('lstm.')), 'conv.weight_g': zeros(1) },
    'missing-key',
    'LSTM: weights were found at prefix "lstm."; missing key "weight_ih_l0"',
  ],
  [
    'nested arrays',
    {
      weight_ih_l0: [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
      ],
    },
    'not-a-tensor',
    `${TENSOR} [a Array, `,
  ],
  [
    'nested arrays, what to do',
    { weight_ih_l0: [[1], [2], [3], [4]] },
    'not-a-tensor',
    '; use Float32Array.from(rows.flat())',
  ],
  ['a Float32Array', { weight_ih_l0: new Float32Array(4) }, 'not-a-tensor', `${TENSOR} a Float32Array`],
  [
    'shape for dims',
    { weight_ih_l0: { data: new Float32Array(8), shape: [4, 2] } },
    'not-a-tensor',
    `${TENSOR} { "data", "shape" }; rename shape to dims`,
  ],
  [
    'a round trip through JSON',
    JSON.parse(JSON.stringify(Object.fromEntries(own()))),
    'not-a-tensor',
    `${TENSOR} { "data", "dims" }; use Float32Array.from(Object.values(data))`,
  ],
  [
    'bigints as dims',
    { weight_ih_l0: { data: new Float32Array(12), dims: [4n, 3n] } },
    'wrong-shape',
    'expected [4H, I], got [4n, 3n]; use dims.map(Number)',
  ],
  [
    'strings as dims',
    { weight_ih_l0: { data: new Float32Array(12), dims: ['4', '3'] } },
    'wrong-shape',
    'expected [4H, I], got ["4", "3"]; use dims.map(Number)',
  ],
];

describe.each(cases)('%s', (_, given, code, text) => {
  test('for LSTM.fromStateDict', () => {
    const error = refusal(() => LSTM.fromStateDict(given));
    expect(error.message).toContain(text);
    expect(error.message).not.toMatch(/not a-tensor|found at prefix ""/);
    expect(error.code).toBe(code);
    expect(error.message.length).toBeLessThan(500);
  });

  test('for loadStateDict', () => {
    const lstm = new LSTM(3, 4, { seed: 1 });
    // of the matrix alone, LSTM(3, 4) knows the shape
    expect(refusal(() => lstm.loadStateDict(given)).message).toContain(text.replace('[4H, I]', '[16, 3]'));
    expect(lstm.stateDict()).toEqual(own());
  });
});

test('other classes: what they are given, and in their place', () => {
  const message = (call: () => unknown) => refusal(call).message;
  const lstm = own();
  expect(message(() => LSTMCell.fromStateDict(lstm))).toContain('keys of LSTM: use LSTM;');
  expect(message(() => LSTMCell.fromStateDict({ weight_ih: zeros(12, 3), weight_hh: zeros(12, 4) }))).toContain(
    GRU_CELL,
  );
  expect(message(() => Linear.fromStateDict({ weight_g: zeros(2, 1), weight_v: zeros(2, 3) }))).toContain(NORM);
  const parts = {
    'parametrizations.weight.original0': zeros(2, 1, 1),
    'parametrizations.weight.original1': zeros(2, 3, 1),
  };
  expect(message(() => Conv1d.fromStateDict(parts))).toContain(NORM);
  expect(message(() => Linear.fromStateDict(new Map()))).toContain('the state dict is empty');
});

test('a projection that is none is named', () => {
  const given = { ...dict([16, 3], [16, 4], 16), weight_hr_l0: zeros(4, 4) };
  expect(refusal(() => LSTM.fromStateDict(given)).message).toBe(
    'LSTM: wrong shape "weight_hr_l0" expected [P, H] with P below H, got [4, 4]',
  );
});
