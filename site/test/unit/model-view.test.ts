import { describe, expect, test } from 'vitest';
import { fromHalf, pack, toHalf, unpack } from '../../src/panels/model/drawing.ts';
import { largestDifference } from '../../src/panels/model/engine/traces.ts';
import { equationOf, momentOf, sentenceOf } from '../../src/panels/model/equation.ts';
import { average, linesFor, seriesOf, shadesOf } from '../../src/panels/model/heat.ts';
import { errorText, threeFigures, valueText } from '../../src/panels/model/numbers.ts';
import { cellScale, colourOf, OPEN, rangeOf, SIGNED } from '../../src/panels/model/scales.ts';
import { seen } from '../../src/panels/model/seen.ts';
import { activities, answerOf, effects, orderUnits, sortUnits } from '../../src/panels/model/units.ts';
import { makeGates } from './model-gates.ts';

describe('units are sorted', () => {
  // unit 0 is high during yes, unit 1 low, unit 2 never moves, unit 3 moves without regard to the answer
  const count = 40;
  const answer = Float32Array.from({ length: count }, (_, t) => (Math.floor(t / 10) % 2 ? 0.9 : 0.1));
  const h = Float32Array.from({ length: 4 * count }, (_, n) => {
    const [t, unit] = [Math.floor(n / 4), n % 4];
    return [answer[t]!, -2 * answer[t]!, 0.3, t % 2 ? 3 : -3][unit]!;
  });
  const gates = { ...makeGates(count, 4), h };

  test('by effect, what goes with a yes on top and what goes against it below', () => {
    const scores = effects(gates, answer);
    expect(scores[0]).toBeCloseTo(2, 4);
    expect(scores[1]).toBeCloseTo(-2, 4);
    expect(scores[2]).toBe(0);
    expect([...orderUnits(seen(gates, answer), 'effect')]).toEqual([0, 2, 3, 1]);
  });

  test('by activity, by number, and by activity where nothing is said', () => {
    expect([...orderUnits(seen(gates, answer), 'activity')]).toEqual([3, 1, 0, 2]);
    expect([...orderUnits(seen(gates, answer), 'number')]).toEqual([0, 1, 2, 3]);
    expect([...orderUnits(seen(gates, undefined), 'effect')]).toEqual([3, 1, 0, 2]);
    expect(activities(gates)[2]).toBeCloseTo(0, 6);
  });

  test('the answer may have fewer steps than the gates, and no yes at all', () => {
    const half = Float32Array.from({ length: 20 }, (_, t) => answer[2 * t]!);
    expect(effects(gates, half)[0]).toBeCloseTo(2, 4);
    expect([...effects(gates, new Float32Array(count))]).toEqual([0, 0, 0, 0]);
  });

  test('the same score leaves numbers in order, and the column that varies most is the answer', () => {
    expect([...sortUnits(Float32Array.of(1, 2, 1, 2))]).toEqual([1, 3, 0, 2]);
    const data = Float32Array.of(1, 0, 1, 5, 1, 0);
    expect([...answerOf({ data, width: 2, count: 3 })]).toEqual([0, 5, 0]);
  });

  test('numbers that are not finite do not spoil the order', () => {
    const broken = { ...gates, h: h.map((value, n) => (n === 5 ? Number.NaN : value)) };
    expect(orderUnits(seen(broken, answer), 'effect').toSorted()).toEqual(Uint32Array.of(0, 1, 2, 3));
  });
});

describe('heat maps', () => {
  const shades = { data: Uint8Array.of(0, 100, 200, 40, 10, 110, 210, 50), width: 4, count: 2 };

  test('a line a unit in the order given', () => {
    expect([...average(shades, [3, 0, 1, 2], [0, 2], [2, 4])]).toEqual([40, 50, 0, 10, 100, 110, 200, 210]);
  });

  test('neighbours in the order are averaged where there are fewer lines', () => {
    expect([...average(shades, [0, 1, 2, 3], [0, 2], [2, 2])]).toEqual([50, 60, 120, 130]);
  });

  test('steps are averaged where there are fewer columns, and a part of the time is taken', () => {
    expect([...average(shades, [0, 1, 2, 3], [0, 2], [1, 4])]).toEqual([5, 105, 205, 45]);
    expect([...average(shades, [0, 1], [1, 2], [1, 2])]).toEqual([10, 110]);
  });

  test('lines are as many as units or as device pixels', () => {
    expect(linesFor(8, 128, 1)).toBe(8);
    expect(linesFor(1000, 128, 2)).toBe(256);
  });

  test('a unit beyond a projected h has no values', () => {
    expect([...seriesOf(Float32Array.of(1, 2, 3, 4), { count: 2 }, 1)]).toEqual([2, 4]);
    expect([...seriesOf(Float32Array.of(1, 2), { count: 2 }, 1)]).toEqual([Number.NaN, Number.NaN]);
  });
});

describe('scales', () => {
  test('zero of a diverging map is its middle, ends are the ends', () => {
    expect([-1, 0, 1].map((value) => colourOf(SIGNED, value))).toEqual([0, 128, 255]);
    expect([0, 1].map((value) => colourOf(OPEN, value))).toEqual([0, 255]);
    const scale = cellScale(76);
    expect([-76, 0, 76, 700, Number.NaN].map((value) => colourOf(scale, value))).toEqual([0, 128, 255, 255, 128]);
    expect(scale.high).toBe('76');
    expect(scale.low).toBe('−76');
  });

  test('asinh leaves small states visible beside large ones', () => {
    expect(colourOf(cellScale(700), 0.5)).toBeGreaterThan(128 + 7);
  });

  test('a range leaves out the largest few, and is 1 where all is zero', () => {
    const values = Float32Array.from({ length: 1000 }, (_, n) => (n < 5 ? 692 : 0.5));
    expect(rangeOf(values)).toBe(0.5);
    expect(rangeOf(new Float32Array(4))).toBe(1);
    expect(rangeOf(Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY))).toBe(1);
  });

  test('shades are a byte a value', () => {
    expect([...shadesOf(Float32Array.of(-1, 1), SIGNED)]).toEqual([0, 255]);
  });
});

describe('the equation in numbers', () => {
  const gates = makeGates(6, 3);
  const text = (pieces: ReturnType<typeof equationOf>) => pieces.map((line) => line.map(({ text }) => text).join(''));

  test('says c = f·c′ + i·g and h = o·tanh c', () => {
    const moment = { i: 0.32, f: 0.99, g: -1, o: 0.97, c: -0.82, h: -0.66, before: -0.5 };
    expect(text(equationOf(moment, true))).toEqual([
      'c = f·c′ + i·g',
      '  = 0.99·−0.50',
      '  + 0.32·−1.00',
      '  = −0.82',
      '',
      'h = o·tanh c',
      '  = 0.97·−0.68 = −0.66',
    ]);
    expect(sentenceOf(moment, true)).toBe(
      'c = f·c′ + i·g = 0.99·−0.50 + 0.32·−1.00 = −0.82; h = o·tanh c = 0.97·−0.68 = −0.66',
    );
  });

  test('has no h = o·tanh c for other activations, and c₀ at the first step', () => {
    const first = momentOf(gates, 0, 1);
    expect(first.before).toBeUndefined();
    expect(text(equationOf(first, false)).slice(5)).toEqual([`o = ${valueText(first.o)}`, `h = ${valueText(first.h)}`]);
    expect(text(equationOf(first, true))[1]).toContain('c₀');
  });

  test('its numbers are those of the step before, which backwards is the one to the right', () => {
    for (const reverse of [false, true]) {
      const own = makeGates(6, 3, reverse);
      const { i, f, g, c, before } = momentOf(own, 3, 2);
      expect(f * before! + i * g).toBeCloseTo(c, 6);
    }
  });
});

test('numbers are printed with a true minus sign, and without one that is zero', () => {
  expect([0.994, -0.004, -1.5, 692.231, -12345, Number.NaN, Number.NEGATIVE_INFINITY].map(valueText)).toEqual([
    '0.99',
    '0.00',
    '−1.50',
    '692.2',
    '−12345',
    'NaN',
    '−∞',
  ]);
  expect([0, 0.5, 76.04, 1234.5, 2e-4].map(threeFigures)).toEqual(['0', '0.5', '76', '1235', '2.0e−4']);
  expect([0, 0.029, 0.55, 3.2e-6].map(errorText)).toEqual(['0', '0.029', '0.55', '3e−6']);
});

test('the drawing of the built-in example is read as it was written, rounded', () => {
  const gates = makeGates(5, 4);
  const said = { name: 'output', data: Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5), width: 1, count: 5 };
  const heard = { data: Uint8Array.of(1, 2, 3, 4), lines: 2, columns: 2, start: 0, every: 0.5, detail: '0–8 kHz' };
  const described = {
    name: 'a',
    format: 'ONNX',
    bytes: 1,
    seconds: 0,
    parameters: 2,
    contents: [],
    more: 0,
    facts: [],
    offers: [],
    takes: '',
  };
  const ran = {
    length: 1,
    isSound: true,
    fed: 'Recording',
    seconds: 0,
    steps: 5,
    cells: [],
    compared: '',
    isSame: true,
    notes: [],
  };
  const read = unpack(pack({ described, ran: { ...ran, said, heard }, gates }));
  expect(read.described).toEqual(described);
  expect(read.ran.said).toEqual(said);
  expect(read.ran.heard).toEqual(heard);
  for (const name of ['i', 'f', 'g', 'o', 'c', 'h'] as const) {
    expect(largestDifference(read.gates[name], gates[name]), name).toBeLessThan(0.006);
  }
});

test('floats of 16 bits', () => {
  expect([1, -2, 0.5, 65_504, 0, 2 ** -24].map((value) => fromHalf(toHalf(value)))).toEqual([
    1,
    -2,
    0.5,
    65_504,
    0,
    2 ** -24,
  ]);
  expect(fromHalf(toHalf(692.231))).toBeCloseTo(692, 0);
  expect(fromHalf(toHalf(1e9))).toBe(65_504);
  expect(fromHalf(toHalf(0.99999))).toBe(1);
});
