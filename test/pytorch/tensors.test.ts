import { describe, expect, test } from 'vitest';
import { parseCheckpoint } from '../../src/pytorch.ts';
import {
  bytes,
  type Code,
  checkpoint,
  dict,
  global,
  int,
  ORDERED_DICT,
  pickle,
  STORAGE,
  type TensorFields,
  tensor,
  text,
  tuple,
} from '../support/checkpoint-files.ts';
import { codeOf, PICKLE, refusal, valid } from '../support/checkpoint-refusals.ts';

describe('a tensor', () => {
  const wrong = (fields: TensorFields) => refusal(checkpoint(pickle(dict([text('w'), tensor(fields)]))));

  test.each<[code: string, what: string, TensorFields]>([
    ['missing-entry', 'a storage that is not there', { key: text('1') }],
    ['missing-entry', 'a path', { key: text('../data/0') }],
    ['missing-entry', 'no name', { key: 'N' }],
    ['missing-entry', 'a number', { key: int(0) }],
    ['missing-entry', 'a name of objects', { key: text('__proto__') }],
    ['size-mismatch', 'one element less', { elements: 3 }],
    ['size-mismatch', 'one element more', { elements: 5 }],
    ['size-mismatch', 'elements of another size', { type: 'DoubleStorage' }],
    ['size-mismatch', '2^53 elements', { elements: 2n ** 53n }],
    ['size-mismatch', '2^62 elements, which are 2^64 bytes', { elements: 2n ** 62n }],
    ['size-mismatch', '-4 elements', { elements: -4 }],
    ['invalid-shape', 'a negative size', { dims: [-4] }],
    ['invalid-shape', '2^53', { dims: [2n ** 53n] }],
    ['invalid-shape', '65 dimensions', { dims: Array(65).fill(1), strides: Array(65).fill(1) }],
    ['invalid-strides', 'a negative stride', { strides: [-1], offset: 3 }],
    ['invalid-strides', 'no strides', { strides: [] }],
    ['invalid-strides', 'one stride more', { strides: [1, 1] }],
    ['invalid-offset', 'a negative offset', { offset: -1 }],
    ['out-of-range', 'an offset of 1', { offset: 1 }],
    ['out-of-range', 'a stride of 2', { strides: [2] }],
    ['out-of-range', 'one element more', { dims: [5] }],
    ['out-of-range', 'an empty tensor past the end', { dims: [0], offset: 5 }],
    ['out-of-range', 'strides whose sum is past 2^53', { dims: [2, 2], strides: [2 ** 52, 2 ** 53 - 1] }],
    ['out-of-range', 'a product of 2^64', { dims: [2 ** 31, 2 ** 31, 4], strides: [0, 0, 1] }],
    [
      'out-of-range',
      'a product that is infinite and then 0',
      { dims: [...Array(40).fill(2 ** 31), 0], strides: Array(41).fill(0) },
    ],
    ['too-large', '10^10 elements of 4', { dims: [10 ** 10], strides: [0] }],
    ['too-large', '2^20 + 2^20 elements of 4', { dims: [2 ** 11, 2 ** 10], strides: [0, 0] }],
  ])('%s: %s', (code, _, fields) => {
    const error = wrong(fields);
    expect(error.code).toBe(code);
    expect(error.message).toContain('"w"');
  });

  test('many views that each are small', () => {
    const views = Array.from({ length: 300 }, (_, i): [Code, Code] => [
      text(`w${i}`),
      tensor({ dims: [1000 + i, 10], strides: [0, 0] }),
    ]);
    expect(codeOf(checkpoint(pickle(dict(...views))))).toBe('too-large');
  });

  test('float sizes are none', () => {
    const float: Code = ['G', Array(8).fill(0)];
    for (const at of [1, 2, 3]) {
      const args: Code[] = [tuple(), int(0), tuple(), tuple()];
      args[at] = at === 1 ? float : tuple(float);
      const code = [global('torch._utils', '_rebuild_tensor_v2'), tuple(...args, '\x89', ORDERED_DICT), 'R'];
      expect(codeOf(checkpoint(pickle(dict([text('w'), code]))))).toBe('invalid-tensor');
    }
  });

  test('every type, with bits that are NaN, infinite, -0 and subnormal kept', () => {
    const bits = Uint32Array.of(0x7fc00001, 0xff800000, 0x80000000, 1);
    const file = checkpoint(PICKLE.data, { ...STORAGE, data: new Uint8Array(bits.buffer) });
    const { data } = parseCheckpoint(file).get('w')!;
    expect(new Uint32Array(data.buffer)).toEqual(bits);
  });
});

describe('the state dict', () => {
  test.each([
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['toString', 'toString'],
    ['hasOwnProperty', 'hasOwnProperty'],
    ['of no letters', ''],
    ['of a million letters', 'k'.repeat(1 << 20)],
    ['😀', '😀'],
  ])('the key %s is one like others', (_, key) => {
    const utf8 = new TextEncoder().encode(key);
    const size = [utf8.length & 255, (utf8.length >> 8) & 255, utf8.length >> 16, 0];
    const data = new Uint8Array([...bytes('\x80', 2, '}X', size), ...utf8, ...bytes(tensor(), 's.')]);
    const tensors = parseCheckpoint(checkpoint(data));
    expect([...tensors.keys()]).toEqual([key]);
    expect(({} as { data?: unknown }).data).toBeUndefined();
    const nested = checkpoint(pickle(dict([text('__proto__'), dict([text('w'), tensor()])])));
    expect(parseCheckpoint(nested, { key: '__proto__' }).size).toBe(1);
  });

  test.each<[code: string, path: string, value: Code, key?: string]>([
    ['not-a-state-dict', 'data.pkl', 'N'],
    ['not-a-state-dict', 'data.pkl', tensor()],
    ['not-a-state-dict', 'data.pkl', [']', tensor(), 'a']],
    ['not-a-state-dict', 'w', dict([text('w'), 'N'])],
    ['not-a-state-dict', '3', dict([int(3), tensor()])],
    ['key-needed', 'a', dict([text('a'), dict([text('w'), tensor()])])],
    ['missing-key', 'b', dict([text('a'), dict([text('w'), tensor()])]), 'b'],
    ['missing-key', 'toString', dict([text('a'), dict([text('w'), tensor()])]), 'toString'],
    ['not-a-state-dict', 'a.w', dict([text('a'), dict([text('w'), int(1)])]), 'a'],
    ['not-a-state-dict', 'w', dict([text('w'), tensor()]), 'w'],
  ])('%s at %s', (code, path, value, key) => {
    expect(refusal(checkpoint(pickle(value)), key)).toMatchObject({ code, path });
  });

  test('no tensors', () => {
    expect(parseCheckpoint(checkpoint(pickle('}'))).size).toBe(0);
  });

  test('the same view has one array, another view its own', () => {
    const half = { dims: [2] };
    const file = checkpoint(
      pickle(dict([text('a'), tensor(half)], [text('b'), tensor(half)], [text('c'), tensor({ ...half, offset: 1 })])),
    );
    const [a, b, c] = [...parseCheckpoint(file).values()];
    expect(b!.data).toBe(a!.data);
    expect(c!.data.buffer).not.toBe(a!.data.buffer);
    expect([...c!.data]).toEqual([2, 3]);
  });
});

describe('wrong arguments', () => {
  test.each([
    ['bytes', undefined],
    ['bytes', 'model.pt'],
    ['bytes', [1, 2]],
    ['bytes', new Float32Array(2)],
    ['bytes', new DataView(new ArrayBuffer(2))],
  ])('%s that are %s', (what, value) => {
    expect(() => parseCheckpoint(value as never)).toThrow(TypeError);
    expect(() => parseCheckpoint(value as never)).toThrow(`parseCheckpoint: "${what}" expected`);
  });

  test('options', () => {
    expect(() => parseCheckpoint(valid, { key: 3 } as never)).toThrow(
      'parseCheckpoint: "key" expected a string or an array of strings, got 3',
    );
    expect(() => parseCheckpoint(valid, { keys: 'a' } as never)).toThrow('parseCheckpoint: unknown option "keys"');
    expect(() => parseCheckpoint(valid, null as never)).toThrow(TypeError);
  });
});
