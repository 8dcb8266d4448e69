import { describe, expect, test } from 'vitest';
import { parseCheckpoint } from '../../src/pytorch.ts';
import {
  bytes,
  type Code,
  checkpoint,
  dict,
  global,
  int,
  pickle,
  tensor,
  text,
  tuple,
} from '../support/checkpoint-files.ts';
import { refusal } from '../support/checkpoint-refusals.ts';
import { list } from '../support/legacy-files.ts';

// What else is in a checkpoint: plain values, and objects of other classes, which are never made.

const FOREIGN = global('posix', 'system');
const state = dict([text('w'), tensor()]);
const file = (...items: [Code, Code][]) => checkpoint(pickle(dict(...items)));
const beside = (value: Code) => file([text('model'), state], [text('other'), value]);
const read = (value: Code) => [...parseCheckpoint(beside(value), { key: 'model' }).get('w')!.data];

/** Without a key it is a checkpoint that holds more; with it, the values are there. */
const PLAIN: [what: string, Code][] = [
  ['Counter', [global('collections', 'Counter'), tuple(dict([int(30), int(1)])), 'R']],
  ['Size', [global('torch', 'Size'), tuple(tuple(int(4), int(3))), 'R']],
  ['device', [global('torch', 'device'), tuple(text('cuda'), int(0)), 'R']],
  ['float32', global('torch', 'float32')],
  ['set', [global('__builtin__', 'set'), tuple(list(text('a'), int(1))), 'R']],
  ['EMPTY_SET and ADDITEMS', ['\x8f(', int(1), int(2), '\x90']],
  ['FROZENSET', ['(', int(1), '\x91']],
  ['bytes', [global('_codecs', 'encode'), tuple(text('ab'), text('latin1')), 'R']],
  ['bytes of Python 2', ['U', 2, 0xff, 0xfe]],
  ['bytearray', [global('builtins', 'bytearray'), tuple(['C', 1, 7]), 'R']],
  ['complex', [global('builtins', 'complex'), tuple(['G', Array(8).fill(0)]), 'R']],
  ['strided', [global('torch.serialization', '_get_layout'), tuple(text('torch.strided')), 'R']],
  ['floats as keys', dict([['G', Array(8).fill(0)], int(1)], [['G', Array(8).fill(1)], int(2)])],
  ['a list of lists', list(list(text('a'), int(1)), list(int(2)), 'N')],
];

test.each(PLAIN)('a plain value: %s', (_, value) => {
  expect(read(value)).toEqual([1, 2, 3, 4]);
  expect(refusal(beside(value)).code).toBe('key-needed');
  // in place of a tensor it is none
  expect(refusal(file([text('w'), value])).code).toBe('not-a-state-dict');
});

const OBJECTS: [what: string, Code][] = [
  ['the global alone', FOREIGN],
  ['a call', [FOREIGN, tuple(text('touch pickle-was-executed')), 'R']],
  ['a call of what a call gives', [FOREIGN, ')R', ')R']],
  ['NEWOBJ', [FOREIGN, ')\x81']],
  ['NEWOBJ_EX', [FOREIGN, ')}\x92']],
  ['attributes', [FOREIGN, ')\x81', dict([text('a'), int(1)]), 'b']],
  ['attributes that are a tuple', [FOREIGN, ')\x81', tuple('N', dict()), 'b']],
  ['items of a dict', [FOREIGN, ')\x81(', text('a'), int(1), 'u', text('b'), int(2), 's']],
  ['items of a list', [FOREIGN, ')\x81(', text('a'), int(1), 'e', int(2), 'a']],
  ['items of a set', [FOREIGN, ')\x81(', int(1), '\x90']],
  ['in a tuple, a list and a dict', tuple(list(dict([text('a'), [FOREIGN, ')R']])))],
  ['as a key', dict([[FOREIGN, ')R'], int(1)])],
  ['for a known call', [global('torch._utils', '_rebuild_parameter'), tuple([FOREIGN, ')R'], '\x88', '}'), 'R']],
];

describe('an object of another class', () => {
  test.each(OBJECTS)('%s', (_, value) => {
    expect(read(value)).toEqual([1, 2, 3, 4]);
    // beside the weights, but nobody said that it is not wanted
    expect(refusal(beside(value)).code).toBe('key-needed');
    const { code, path, message } = refusal(file([text('w'), tensor()], [text('x'), value]));
    expect([code, path]).toEqual(['unsupported-global', 'posix.system']);
    expect(message).toContain('torch.save(model.state_dict(), path)');
  });

  test('in the weights, with a key: the message says where', () => {
    for (const value of [FOREIGN, [FOREIGN, ')R']]) {
      const inside = file([text('model'), dict([text('w'), value])]);
      const { code, path, message } = refusal(inside, 'model');
      expect([code, path]).toEqual(['unsupported-global', 'posix.system']);
      expect(message).toContain('"model.w" is made of "posix.system", which is not loaded (at byte ');
    }
    expect(refusal(file([text('model'), [FOREIGN, ')\x81']]), 'model').code).toBe('unsupported-global');
    expect(refusal(beside(FOREIGN), ['other', 'x']).code).toBe('unsupported-global');
  });

  test('a tensor of a foreign storage', () => {
    const complex = tensor({ type: 'ComplexFloatStorage' });
    expect(read(complex)).toEqual([1, 2, 3, 4]);
    const { code, message } = refusal(file([text('w'), complex]));
    expect(code).toBe('unsupported-global');
    expect(message).toContain('torch.view_as_real(tensor)');
  });

  test('put on the stack and dropped again: not without a key', () => {
    const injected = checkpoint(bytes('\x80', 2, FOREIGN, tuple(text('x')), 'R0', state, '.'));
    expect(refusal(injected).code).toBe('unsupported-global');
    const nested = checkpoint(bytes('\x80', 2, FOREIGN, ')R0', dict([text('model'), state]), '.'));
    expect(parseCheckpoint(nested, { key: 'model' }).size).toBe(1);
  });

  test('unusual calls of known globals are foreign too', () => {
    for (const value of [
      [text('os.system'), ')R'],
      [global('torch', 'FloatStorage'), ')R'],
      [global('torch', 'Size'), tuple(int(1)), 'R'],
      [global('collections', 'OrderedDict'), tuple(list(list(text('a'), int(1)), list(text('a'), int(2)))), 'R'],
      [global('collections', 'Counter'), ')\x81'],
      [tensor(), '}b'],
    ]) {
      expect(read(value)).toEqual([1, 2, 3, 4]);
      expect(refusal(file([text('w'), value])).code).toBe('unsupported-call');
      expect(refusal(file([text('model'), dict([text('w'), value])]), 'model').code).toBe('unsupported-call');
    }
  });
});

describe('keys in one another', () => {
  const nested = file([text('epoch'), int(3)], [text('ckpt'), dict([text('state_dict'), state], [text('lr'), 'N'])]);

  test('are a list', () => {
    expect(parseCheckpoint(nested, { key: ['ckpt', 'state_dict'] }).size).toBe(1);
    expect(parseCheckpoint(checkpoint(pickle(state)), { key: [] }).size).toBe(1);
  });

  test('are named in messages', () => {
    const { code, path, message, expected } = refusal(nested);
    expect([code, path]).toEqual(['key-needed', 'ckpt.state_dict']);
    expect(expected).toEqual([['ckpt', 'state_dict']]);
    expect(message).toContain('pass the one you want, such as { key: ["ckpt", "state_dict"] }');
    expect(refusal(nested, ['ckpt', 'model'])).toMatchObject({ code: 'missing-key', path: 'model' });
    expect(refusal(nested, ['ckpt', 'model']).message).toContain('in "ckpt", which has "state_dict", "lr"');
    expect(refusal(nested, ['epoch', 'model'])).toMatchObject({ code: 'not-a-state-dict', path: 'epoch' });
  });

  test('must be strings', () => {
    for (const key of [[1], ['a', null], {}, null]) {
      expect(() => parseCheckpoint(nested, { key } as never)).toThrow('parseCheckpoint: "key" expected a string or');
    }
  });

  test('dicts in dicts, shared and in circles, take little time', () => {
    // each level has the one below it twice: 2^60 paths
    const levels = Array.from({ length: 60 }, (_, i) => [
      'q',
      i,
      '0}q',
      60,
      '(',
      text('a'),
      'h',
      i,
      text('b'),
      'h',
      i,
      'u',
    ]);
    expect(refusal(checkpoint(bytes('}', levels, '.'))).code).toBe('not-a-state-dict');
    expect(refusal(checkpoint(bytes('}q', 0, text('a'), 'h', 0, 's.'))).code).toBe('not-a-state-dict');
  });
});
