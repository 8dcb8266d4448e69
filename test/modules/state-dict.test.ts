import { describe, expect, test } from 'vitest';
import { Embedding, Linear, LSTM, LSTMCell, type StateDict, type TensorLike } from '../../src/index.ts';
import { bits, dictBits, words } from '../support/bits.ts';
import { refusal } from '../support/refusals.ts';
import { type Any, count, tensor } from '../support/tensors.ts';

describe('state dicts', () => {
  const lstm = () => new LSTM(3, 4, { numLayers: 2, bidirectional: true, projSize: 2, seed: 1 });
  const table: [string, () => LSTM | LSTMCell | Linear | Embedding, string[]][] = [
    [
      'LSTM',
      lstm,
      [0, 1].flatMap((layer) =>
        ['', '_reverse'].flatMap((direction) =>
          ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh', 'weight_hr'].map((name) => `${name}_l${layer}${direction}`),
        ),
      ),
    ],
    ['LSTM', () => new LSTM(3, 4, { bias: false }), ['weight_ih_l0', 'weight_hh_l0']],
    ['LSTMCell', () => new LSTMCell(3, 4), ['weight_ih', 'weight_hh', 'bias_ih', 'bias_hh']],
    ['LSTMCell', () => new LSTMCell(3, 4, { bias: false }), ['weight_ih', 'weight_hh']],
    ['Linear', () => new Linear(3, 20), ['weight', 'bias']],
    ['Linear', () => new Linear(3, 20, { bias: false }), ['weight']],
    ['Embedding', () => new Embedding(3, 20), ['weight']],
  ];
  /** Every bit pattern a float can have, the odd ones first. */
  function oddBits(dims: readonly number[], seed: number): TensorLike {
    const odd = [
      0x7fc00000, 0xffc00001, 0x7f800001, 0xff812345, 0x7fffffff, 0x80000000, 1, 0x807fffff, 0x7f800000, 0xff800000,
    ];
    const data = words(
      Array.from({ length: count(dims) }, (_, i) => (i < odd.length ? odd[i]! : Math.imul(i + seed, 2654435761))),
    );
    return { data, dims };
  }

  test.each(table)("%s %#: keys in PyTorch's order, the bits that were loaded, and copies only", (_, make, keys) => {
    const module = make();
    const own = module.stateDict();
    expect([...own.keys()]).toEqual(keys);
    expect([...module.stateDict('a.b.').keys()]).toEqual(keys.map((key) => `a.b.${key}`));
    const loaded = new Map([...own].map(([key, { dims }], i) => [key, oddBits(dims, i)]));
    expect(module.loadStateDict(loaded)).toEqual({ missingKeys: [], unexpectedKeys: [] });
    const wanted = dictBits(loaded);
    expect(dictBits(module.stateDict())).toEqual(wanted);
    for (const { data, dims } of [...loaded.values(), ...module.stateDict().values()]) {
      data.fill(7);
      (dims as number[]).fill(0);
    }
    expect(dictBits(module.stateDict())).toEqual(wanted);
  });

  test.each(table)(
    '%s %#: Map or object, any order, other keys beside the prefix, float64 rounded',
    (_, make, keys) => {
      const [from, to] = [make(), make()];
      const dict = from.stateDict('x.');
      const wanted = dictBits(from.stateDict());
      const odd = new Map<Any, Any>([['xweight', 5], ['y.z', null], ...[...dict].reverse(), [1, 2], [undefined, null]]);
      to.loadStateDict(odd, 'x.');
      expect(dictBits(to.stateDict())).toEqual(wanted);
      const object = Object.assign(Object.create(null), Object.fromEntries(dict));
      const again = make();
      again.loadStateDict(object, 'x.');
      expect(dictBits(again.stateDict())).toEqual(wanted);
      const key = keys[0]!;
      const { dims } = from.stateDict().get(key)!;
      const doubles = Float64Array.from(
        { length: count(dims) },
        (_, i) => [0.1, 1e300, -1e-50, 1 + 2 ** -24, 1e-46][i % 5]! + (i % 2),
      );
      to.loadStateDict({ [key]: { data: doubles, dims } }, '', { strict: false });
      expect([...to.stateDict().get(key)!.data]).toEqual([...doubles].map(Math.fround));
    },
  );

  test.each(table)('%s %#: one error lists all that is wrong, and nothing is loaded', (name, make, keys) => {
    const module = make();
    const before = dictBits(module.stateDict());
    const good = make().stateDict('m.');
    const key = `m.${keys[0]}`;
    const { dims } = good.get(key)!;
    const entry = (changed: Any) => new Map<string, Any>([...good, [key, changed]]);
    const without = new Map(good);
    without.delete(key);
    const shown = `[${dims.join(', ')}]`;
    const size = count(dims);
    const full = new Float32Array(size);
    const turned = dims.toReversed();
    // what, the state dict, the error's code, how its message ends
    const cases: [string, ReadonlyMap<string, Any>, string, string][] = [
      ['missing', without, 'missing-key', ''],
      ['unexpected', new Map([...good, ['m.more', good.get(key)!]]), 'unexpected-key', ''],
      ['rank', entry({ data: full, dims: [size] }), 'wrong-shape', `expected ${shown}, got [${size}]`],
      ['turned', entry({ data: full, dims: turned }), 'wrong-shape', `expected ${shown}, got [${turned.join(', ')}]`],
      ['lying dims', entry({ data: full, dims: [2 ** 20, 2 ** 20] }), 'wrong-shape', 'got [1048576, 1048576]'],
      ['short', entry({ data: full.slice(1), dims }), 'wrong-length', `expected ${size} elements, got ${size - 1}`],
      ['long', entry({ data: new Float32Array(1000), dims }), 'wrong-length', `expected ${size} elements, got 1000`],
      ['int32', entry({ data: new Int32Array(size), dims }), 'not-float', 'got a Int32Array'],
      [
        'int64 with a dtype',
        entry({ data: new BigInt64Array(size), dims, dtype: 'I64' }),
        'not-float',
        'got dtype I64',
      ],
      ['half floats as bits', entry({ data: new Uint16Array(size), dims }), 'not-float', 'got a Uint16Array'],
      ['null', entry(null), 'not-a-tensor', 'expected a tensor { data: Float32Array, dims: number[] }, got null'],
      ['a number', entry(5), 'not-a-tensor', 'got 5'],
      ['an array', entry([1, 2]), 'not-a-tensor', 'got [1, 2]'],
      ['plain data', entry({ data: [1, 2], dims }), 'not-a-tensor', 'Float32Array.from(Object.values(data))'],
      ['no dims', entry({ data: full }), 'not-a-tensor', 'got { "data" }'],
      ['odd dims', entry({ data: full, dims: dims.map(() => Object.create(null)) }), 'wrong-shape', ''],
      ['dims with holes', entry({ data: full, dims: new Array(dims.length) }), 'wrong-shape', ''],
    ];
    for (const [what, dict, code, text] of cases) {
      const error = refusal(() => module.loadStateDict(dict, 'm.'));
      const path = code === 'unexpected-key' ? 'm.more' : key;
      expect(error.message, what).toMatch(new RegExp(`^${name}: `));
      expect(error.message, what).toContain(`"${path}"`);
      expect(error.message, what).toContain(text);
      expect([error.code, error.path], what).toEqual([code, path]);
      expect(error.name).toBe('ModelError');
    }
    const everything = entry({ data: new Float32Array(1), dims: [1] });
    const last = `m.${keys.at(-1)}`;
    if (keys.length > 1) (everything as Map<string, Any>).set(last, { data: new Int8Array(1), dims: [1] });
    (everything as Map<string, Any>).set('m.__proto__', 5).set('m.x', 6);
    const error = refusal(() => module.loadStateDict(everything, 'm.'));
    for (const path of [key, last, 'm.__proto__', 'm.x']) expect(error.message).toContain(JSON.stringify(path));
    expect(error.code).toBe('state-dict-mismatch');
    expect(dictBits(module.stateDict())).toEqual(before);
  });

  test.each(table)(
    '%s %#: strict: false loads what fits, names the rest, and refuses what does not fit',
    (_, make, keys) => {
      const module = make();
      const key = keys.at(-1)!;
      const others = keys.slice(0, -1);
      const { dims } = module.stateDict().get(key)!;
      const value = oddBits(dims, 3);
      const before = module.stateDict();
      const result = module.loadStateDict({ [`p.${key}`]: value, 'p.q': value, q: value }, 'p.', { strict: false });
      expect(result).toEqual({ missingKeys: others.map((other) => `p.${other}`), unexpectedKeys: ['p.q'] });
      expect(dictBits(module.stateDict())).toEqual(dictBits(before.set(key, value)));
      const wrong = {
        [key]: { ...value, dims: [1, ...dims] },
        ...(others[0] ? { [others[0]]: oddBits(before.get(others[0])!.dims, 9) } : {}),
      };
      expect(refusal(() => module.loadStateDict(wrong, '', { strict: false })).code).toBe('wrong-shape');
      expect(dictBits(module.stateDict())).toEqual(dictBits(before));
      expect(module.loadStateDict({}, '', { strict: false })).toEqual({ missingKeys: keys, unexpectedKeys: [] });
    },
  );

  test('a key is just a key', () => {
    const good = new Linear(3, 2, { seed: 2 }).stateDict();
    const module = new Linear(3, 2, { seed: 1 });
    for (const odd of [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '',
      'x'.repeat(1e6),
      '\ud800',
      '\u0000\n',
    ]) {
      const map = new Map<string, Any>([...good, [odd, good.get('bias')!]]);
      const object = Object.assign(Object.create(null), Object.fromEntries(good));
      Object.defineProperty(object, odd, { value: good.get('bias'), enumerable: true });
      for (const dict of [map, object] as StateDict[]) {
        const error = refusal(() => module.loadStateDict(dict));
        expect(error.code).toBe('unexpected-key');
        expect(error.path).toBe(odd);
        expect(error.message.length).toBeLessThan(300);
        // control characters and half surrogates are escaped
        expect(error.message).toMatch(/^[\x20-\x7e…]*$/);
        expect(module.loadStateDict(dict, '', { strict: false }).unexpectedKeys).toEqual([odd]);
      }
      expect(module.stateDict(odd).get(`${odd}bias`)).toEqual(good.get('bias'));
      expect(() => module.loadStateDict(module.stateDict(odd), odd)).not.toThrow();
    }
    // inherited entries are none
    expect(refusal(() => module.loadStateDict(Object.create(Object.fromEntries(good)))).code).toBe('missing-key');
    expect(({} as Any).weight).toBeUndefined();
  });

  test('many things wrong make a message of bounded length', () => {
    const deep = new LSTM(1, 1, { numLayers: 50 });
    const error = refusal(() => deep.loadStateDict({}));
    expect(error.message).toMatch(/ and 1[56]0 more$/);
    expect(error.code).toBe('missing-key');
  });

  test.each<[string, Any, Any, Any, RegExp]>([
    ['null', null, '', {}, /^Linear: "stateDict" expected a Map or an object of tensors, got null$/],
    ['a number', 5, '', {}, /^Linear: "stateDict" .*, got 5$/],
    ['an array', [], '', {}, /^Linear: "stateDict" .*, got \[\]$/],
    ['bytes', new Uint8Array(4), '', {}, /^Linear: "stateDict" .*, got a Uint8Array$/],
    ['an ArrayBuffer', new ArrayBuffer(4), '', {}, /^Linear: "stateDict" .*, got a ArrayBuffer$/],
    ['prefix 5', {}, 5, {}, /^Linear: "prefix" expected a string, got 5$/],
    ['prefix null', {}, null, {}, /^Linear: "prefix" expected a string, got null$/],
    ['options true', {}, '', true, /^Linear: "options" expected an object, got true$/],
    ['unknown options', {}, '', { assign: true }, /^Linear: unknown option "assign"/],
    ['strict 0', {}, '', { strict: 0 }, /^Linear: "strict" expected a boolean, got 0$/],
  ])('mistakes in arguments are TypeErrors: %s', (_, dict, prefix, options, message) => {
    const linear = new Linear(1, 1);
    expect(() => linear.loadStateDict(dict, prefix, options)).toThrow(TypeError);
    expect(() => linear.loadStateDict(dict, prefix, options)).toThrow(message);
  });

  test('the message names the prefixes at which a module was found', () => {
    const good = new LSTM(3, 4);
    const dict = new Map([...good.stateDict('encoder.lstm.'), ...good.stateDict('decoder.')]);
    const hint = /^LSTM: weights were found at prefix "encoder\.lstm\.", "decoder\.";/;
    expect(refusal(() => good.loadStateDict(dict)).message).toMatch(hint);
    expect(refusal(() => good.loadStateDict(dict, 'encoder.')).message).toMatch(hint);
    expect(refusal(() => LSTM.fromStateDict(dict)).message).toMatch(hint);
    expect(refusal(() => LSTM.fromStateDict(good.stateDict(), { prefix: 'lstm.' })).message).toMatch(/at prefix "";/);
    expect(refusal(() => LSTM.fromStateDict({})).message).not.toMatch(/prefix/);
    const cell = new LSTMCell(3, 4);
    expect(refusal(() => LSTMCell.fromStateDict(cell.stateDict('a.'))).message).toMatch(/^LSTMCell: weights .* "a\.";/);
    const [linear, head] = [new Linear(3, 4), new Linear(3, 4).stateDict('head.')];
    expect(refusal(() => linear.loadStateDict(head)).message).toMatch(/^Linear: weights .* "head\.";/);
  });

  test('loaded weights are used by the next forward, and biases sum', () => {
    const [a, b] = [new LSTM(3, 4, { seed: 1 }), new LSTM(3, 4, { seed: 2 })];
    const x = tensor(5, 3);
    expect(bits(a.forward(x).output)).not.toEqual(bits(b.forward(x).output));
    a.loadStateDict(b.stateDict());
    expect(bits(a.forward(x).output)).toEqual(bits(b.forward(x).output));
    // one bias alone, then the other: what counts is their sum
    const dict = b.stateDict();
    const bias = dict.get('bias_ih_l0')!;
    const negative = { data: bias.data.map((value) => -value), dims: bias.dims };
    a.loadStateDict({ bias_hh_l0: negative }, '', { strict: false });
    const biasless = new LSTM(3, 4, { bias: false });
    biasless.loadStateDict(new Map([...dict].filter(([key]) => key.startsWith('weight'))));
    expect(a.forward(x)).toEqual(biasless.forward(x));
    a.loadStateDict({ bias_ih_l0: dict.get('bias_hh_l0')!, bias_hh_l0: bias }, '', { strict: false });
    expect(bits(a.forward(x).output)).toEqual(bits(b.forward(x).output));
  });
});
