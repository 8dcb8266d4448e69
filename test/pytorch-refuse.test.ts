import { deflateSync } from 'fflate/browser';
import { describe, expect, test } from 'vitest';
import { ModelError, parseCheckpoint } from '../src/pytorch.ts';
import {
  bytes,
  type Code,
  checkpoint,
  dict,
  type Entry,
  global,
  int,
  ORDERED_DICT,
  pickle,
  STORAGE,
  type TensorFields,
  tensor,
  text,
  tuple,
  type ZipOptions,
  zip,
} from './support/checkpoint-files.ts';
import { readFixture } from './support/fixtures.ts';

function refusal(file: Uint8Array, key?: string): ModelError {
  try {
    parseCheckpoint(file, { key });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    expect(error.message).toMatch(/^pytorch: [^\n\0]{1,600}$/);
    return error;
  }
  throw new Error('accepted');
}

const codeOf = (file: Uint8Array, key?: string) => refusal(file, key).code;
const valid = checkpoint(pickle(dict([text('w'), tensor()])));
const PICKLE: Entry = { name: 'archive/data.pkl', data: pickle(dict([text('w'), tensor()])) };

test('what the tables below are changes of is read', () => {
  expect(parseCheckpoint(valid)).toEqual(
    new Map([['w', { data: Float32Array.of(1, 2, 3, 4), dims: [4], dtype: 'F32' }]]),
  );
  expect(parseCheckpoint(valid.buffer)).toEqual(parseCheckpoint(valid));
});

test('a parameter with attributes is its tensor', () => {
  const state = dict([text('note'), text('x')]);
  const parameter = [
    global('torch._utils', '_rebuild_parameter_with_state'),
    tuple(tensor(), '\x88', ORDERED_DICT, state),
    'R',
  ];
  expect(parseCheckpoint(checkpoint(pickle(dict([text('w'), parameter]))))).toEqual(parseCheckpoint(valid));
});

test.each(['lstm', 'deflated', 'zip64', 'newer_torch', 'nested_model'])(
  'every prefix of %s, and any byte more',
  async (name) => {
    const file = await readFixture(`pytorch/${name}.pt`);
    const key = name === 'nested_model' ? 'model' : undefined;
    expect(parseCheckpoint(file, { key }).size).toBeGreaterThan(0);
    const codes = ['truncated', 'not-a-zip', 'invalid-zip'];
    for (let size = 0; size < file.length; size++) expect(codes).toContain(codeOf(file.subarray(0, size), key));
    expect(codeOf(new Uint8Array([...file, 0]), key)).toBe('truncated');
  },
);

describe('the zip', () => {
  const deflated = deflateSync(STORAGE.data);
  test.each<[code: string, what: string, entries: Entry[], options?: ZipOptions]>([
    ['missing-entry', 'no pickle', [STORAGE]],
    ['missing-entry', 'two pickles', [PICKLE, { ...PICKLE, name: 'other/data.pkl' }, STORAGE]],
    ['missing-entry', 'a storage in another folder', [PICKLE, { ...STORAGE, name: 'other/data/0' }]],
    ['torchscript', 'constants.pkl', [PICKLE, STORAGE, { ...PICKLE, name: 'archive/constants.pkl' }]],
    ['duplicate-entry', 'a name twice', [PICKLE, STORAGE, STORAGE]],
    ['unsafe-path', 'a path upwards', [PICKLE, STORAGE, { ...STORAGE, name: 'archive/../../x' }]],
    ['unsafe-path', 'a path upwards, with backslashes', [PICKLE, STORAGE, { ...STORAGE, name: 'archive\\..\\x' }]],
    ['hole', 'bytes between entries', [{ ...PICKLE, gap: 1 }, STORAGE]],
    ['hole', 'bytes before the directory', [PICKLE, { ...STORAGE, gap: 30 }]],
    ['overlap', 'two entries at one place', [PICKLE, STORAGE, { ...STORAGE, name: 'archive/data/1', offset: 0 }]],
    ['overlap', 'all sizes the whole file', [{ ...PICKLE, zippedSize: 200, size: 200 }, STORAGE]],
    ['hole', 'an offset past the file', [PICKLE, { ...STORAGE, offset: 2 ** 31 }]],
    ['hole', 'the largest offset without a zip64 field', [PICKLE, { ...STORAGE, offset: 2 ** 32 - 1 }]],
    ['truncated', 'a size past the file', [PICKLE, { ...STORAGE, zippedSize: 5000, size: 5000 }]],
    ['truncated', 'a size of 4 GiB', [PICKLE, { ...STORAGE, zippedSize: 2 ** 32 - 2, size: 2 ** 32 - 2 }]],
    ['truncated', 'an extra field past the file', [PICKLE, { ...STORAGE, extra: 0, zippedSize: 400, size: 400 }]],
    ['size-mismatch', 'stored, with two sizes', [PICKLE, { ...STORAGE, size: 15 }]],
    ['size-mismatch', 'a ratio of thousands', [PICKLE, { ...STORAGE, zipped: deflated, method: 8, size: 2 ** 30 }]],
    ['size-mismatch', 'deflated, too much', [PICKLE, { ...STORAGE, zipped: deflated, method: 8, size: 15 }]],
    ['size-mismatch', 'deflated, too little', [PICKLE, { ...STORAGE, zipped: deflated, method: 8, size: 17 }]],
    ['invalid-deflate', 'no deflate data', [PICKLE, { ...STORAGE, zipped: new Uint8Array([7]), method: 8 }]],
    ['size-mismatch', 'deflated to nothing', [PICKLE, { ...STORAGE, zipped: new Uint8Array(0), method: 8 }]],
    ['invalid-deflate', 'cut deflate data', [PICKLE, { ...STORAGE, zipped: deflated.slice(0, -3), method: 8 }]],
    ['wrong-checksum', 'another CRC-32', [PICKLE, { ...STORAGE, crc: 1 }]],
    ['unsupported-zip', 'encryption', [PICKLE, { ...STORAGE, flags: 1 }]],
    ['unsupported-zip', 'an encrypted directory', [PICKLE, { ...STORAGE, flags: 0x2000 }]],
    ['unsupported-zip', 'bzip2', [PICKLE, { ...STORAGE, method: 12 }]],
    ['invalid-zip', 'another name in the local header', [PICKLE, { ...STORAGE, localName: 'archive/data/1' }]],
    ['invalid-zip', 'a count too large', [PICKLE, STORAGE], { count: 3 }],
    ['invalid-zip', 'a count too small', [PICKLE, STORAGE], { count: 1 }],
    ['invalid-zip', 'a directory elsewhere', [PICKLE, STORAGE], { begin: 3 }],
    ['invalid-zip', 'a directory past the end', [PICKLE, STORAGE], { begin: 2 ** 32 - 2 }],
    ['invalid-zip', 'a directory without a size', [PICKLE, STORAGE], { size: 0 }],
    ['truncated', 'a comment', [PICKLE, STORAGE], { comment: 'hello' }],
    ['not-a-zip', 'no entry', []],
  ])('%s: %s', (code, _, entries, options) => {
    expect(codeOf(zip(entries, options))).toBe(code);
  });

  test('what is legal is read: data descriptors, deflate, padding, a name in any script', () => {
    const entries = [
      { ...PICKLE, name: 'é😀/data.pkl', flags: 0x0808, extra: 5 },
      { ...STORAGE, name: 'é😀/data/0', zipped: deflated, method: 8, flags: 8 },
      { name: 'é😀/__proto__', data: new Uint8Array(3) },
    ];
    expect(parseCheckpoint(zip(entries))).toEqual(parseCheckpoint(valid));
  });

  test('a wrong data descriptor', () => {
    const file = zip([{ ...PICKLE, flags: 8 }, STORAGE]);
    const at = file.findIndex((_, i) => file[i] === 0x50 && file[i + 1] === 0x4b && file[i + 2] === 7);
    for (const field of [0, 4, 8, 12]) {
      const changed = file.slice();
      changed[at + field]! ^= 1;
      expect(codeOf(changed), `${field}`).toBe('invalid-zip');
    }
  });

  test('the sizes of zip64, each wrong', async () => {
    const file = await readFixture('pytorch/zip64.pt');
    const locator = file.length - 22 - 20;
    const end64 = locator - 56;
    const fields = [locator, locator + 4, locator + 8, locator + 15, locator + 16, end64, end64 + 4];
    for (const at of [...fields, end64 + 16, end64 + 20, end64 + 24, end64 + 32, end64 + 40, end64 + 47, end64 + 48]) {
      const changed = file.slice();
      changed[at]! ^= 1;
      expect(['invalid-zip', 'truncated'], `byte ${at}`).toContain(codeOf(changed));
    }
  });
});

describe('other files', () => {
  const ascii = (value: string) => new TextEncoder().encode(value);
  test.each<[string, Uint8Array, string]>([
    ['text', ascii('not a model'), 'not-a-zip'],
    ['JSON', ascii('{}'), 'not-a-zip'],
    ['zeros', new Uint8Array(100), 'not-a-zip'],
    ['a zip behind something else', new Uint8Array([0, ...valid]), 'not-a-zip'],
    [
      'a safetensors file with a zip at its end',
      new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 123, 125, ...valid]),
      'not-a-zip',
    ],
    ['two zips', new Uint8Array([...valid, ...valid]), 'invalid-zip'],
    ['a local header and no more', valid.slice(0, 40), 'truncated'],
    ['the signature and no more', valid.slice(0, 4), 'truncated'],
  ])('%s', (_, file, code) => expect(codeOf(file)).toBe(code));
});

describe('the pickle', () => {
  const refused = (code: string, data: Uint8Array) => {
    const error = refusal(checkpoint(data));
    expect(error.code).toBe(code);
    return error;
  };

  test.each<[code: string, what: string, Code[]]>([
    ['truncated', 'nothing', []],
    ['truncated', 'no STOP', ['\x80', 2, '}']],
    ['invalid-pickle', 'STOP alone', ['.']],
    ['invalid-pickle', 'two values', ['}}.']],
    ['invalid-pickle', 'a mark left', ['(}.']],
    ['invalid-pickle', 'bytes after STOP', ['}.N']],
    ['invalid-pickle', 'POP of nothing', ['0}.']],
    ['invalid-pickle', 'a tuple without a mark', ['t.']],
    ['invalid-pickle', 'TUPLE3 across a mark', ['NN(N\x87.']],
    ['invalid-pickle', 'SETITEM on a list', [']NNs.']],
    ['invalid-pickle', 'SETITEMS with a key alone', ['}(Nu.']],
    ['invalid-pickle', 'APPEND to a dict', ['}Na.']],
    ['invalid-pickle', 'BINGET of what was never put', ['h', 5, '.']],
    ['invalid-pickle', 'a persistent id that is no tuple', ['NQ.']],
    [
      'invalid-pickle',
      'a persistent id of four',
      [tuple(text('storage'), global('torch', 'FloatStorage'), text('0'), text('cpu')), 'Q.'],
    ],
    [
      'invalid-pickle',
      'a module as a storage',
      [tuple(text('module'), global('torch', 'FloatStorage'), text('0'), text('cpu'), int(4)), 'Q.'],
    ],
    [
      'invalid-pickle',
      'a dict as the type of a storage',
      [tuple(text('storage'), global('collections', 'OrderedDict'), text('0'), text('cpu'), int(4)), 'Q.'],
    ],
    ['invalid-pickle', 'a number as the name of a global', [int(1), text('x'), '\x93.']],
    ['invalid-pickle', 'an integer of letters', ['Iabc\n.']],
    ['invalid-utf8', 'a string that is not UTF-8', ['X', 1, 0, 0, 0, 0xff, '.']],
    ['invalid-utf8', 'a lone surrogate', ['X', 3, 0, 0, 0, 0xed, 0xa0, 0x80, '.']],
    ['truncated', 'a string of 4 GiB', ['X', 255, 255, 255, 255, '.']],
    ['truncated', 'a string of 2^64 bytes', ['\x8d', Array(8).fill(255), '.']],
    ['truncated', 'bytes of 2^63', ['\x8e', Array(7).fill(0), 128, '.']],
    ['truncated', 'a LONG4 of 2 GiB', ['\x8b', 255, 255, 255, 127, '.']],
    ['truncated', 'a frame of 2^64', ['\x80', 4, '\x95', Array(8).fill(255), '}.']],
    ['truncated', 'a line without an end', ['cposix']],
    ['unsupported-protocol', 'protocol 6', ['\x80', 6, '}.']],
    ['too-deep', 'marks in marks', ['('.repeat(100_000)]],
    ['duplicate-key', 'a key twice', [dict([text('w'), tensor()], [text('w'), tensor()]), '.']],
    ['unsupported-call', 'OrderedDict of something', [global('collections', 'OrderedDict'), tuple(int(1)), 'R.']],
    ['unsupported-call', 'a call of a string', [text('os.system'), ')R.']],
    ['unsupported-call', 'a call of a type', [global('torch', 'FloatStorage'), ')R.']],
    ['unsupported-call', 'a call of a tensor', [tensor(), ')R.']],
    ['unsupported-call', 'a call with a list', [global('collections', 'OrderedDict'), ']R.']],
    ['unsupported-call', 'BUILD of a tensor', [tensor(), '}b.']],
    ['unsupported-call', 'BUILD with a tuple', ['}', tuple(), 'b.']],
    [
      'unsupported-call',
      'a tensor of five arguments',
      [global('torch._utils', '_rebuild_tensor_v2'), tuple(...Array(5).fill('N')), 'R.'],
    ],
    [
      'unsupported-call',
      'a negative bit',
      [dict([text('w'), tensor({ rest: ['\x89', ORDERED_DICT, dict([text('neg'), '\x88'])] })]), '.'],
    ],
    [
      'unsupported-call',
      'a parameter that is no tensor',
      [global('torch._utils', '_rebuild_parameter'), tuple('N', '\x88', ORDERED_DICT), 'R.'],
    ],
  ])('%s: %s', (code, _, data) => {
    const error = refused(code, bytes(...data));
    expect(error.message).not.toContain('\u0000');
  });

  test.each([
    ['posix', 'system'],
    ['os', 'system'],
    ['builtins', 'eval'],
    ['builtins', 'getattr'],
    ['torch', 'load'],
    ['torch._utils', '_rebuild_tensor_v2 '],
    ['torch._utils._rebuild_tensor', 'v2'],
    ['__proto__', '__proto__'],
    ['', 'constructor'],
    ['collections', 'OrderedDict.__class__'],
  ])('the global %s %s, by GLOBAL and by STACK_GLOBAL', (module, name) => {
    for (const code of [global(module, name), [text(module), text(name), '\x93']]) {
      const error = refused('unsupported-global', bytes(code, tuple(text('touch pickle-was-executed')), 'R.'));
      expect(error.path).toBe(`${module}.${name}`);
      expect(error.message).toContain('torch.save(model.state_dict(), path)');
    }
  });

  test.each([
    ['torch._utils', '_rebuild_qtensor', 'tensor.dequantize()'],
    ['torch', 'QInt8Storage', 'tensor.dequantize()'],
    ['torch._utils', '_rebuild_sparse_tensor', 'tensor.to_dense()'],
    ['torch', 'ComplexFloatStorage', 'torch.view_as_real(tensor)'],
    ['torch._utils', '_rebuild_tensor_v3', 'tensor.float()'],
    ['torch._utils', '_rebuild_meta_tensor_no_storage', 'device meta'],
    ['torch._tensor', '_rebuild_from_type_v2', 'tensor.as_subclass(torch.Tensor)'],
  ])('%s.%s, with what to save instead', (module, name, advice) => {
    const error = refused('unsupported-global', bytes(global(module, name), ')R.'));
    expect(error.path).toBe(`${module}.${name}`);
    expect(error.message).toContain(advice);
  });

  test.each([
    ['i', 'INST'],
    ['o', 'OBJ'],
    ['\x81', 'NEWOBJ'],
    ['\x92', 'NEWOBJ_EX'],
    ['\x82', 'EXT1'],
    ['\x83', 'EXT2'],
    ['\x84', 'EXT4'],
    ['P', 'PERSID'],
    ['\x97', 'NEXT_BUFFER'],
    ['\xff', '0xff'],
  ])('the opcode %j: %s', (code, name) => {
    expect(refused('unsupported-opcode', bytes('((', text('os'), code)).message).toContain(`the opcode ${name},`);
  });

  test('a dict that contains itself, and tuples in tuples without a mark', () => {
    expect(codeOf(checkpoint(bytes('}q', 0, text('w'), 'h', 0, 's.')))).toBe('not-a-state-dict');
    expect(codeOf(checkpoint(bytes(')', '\x85'.repeat(20_000), '.')))).toBe('not-a-state-dict');
  });
});

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
      'parseCheckpoint: "key" expected a string, got 3',
    );
    expect(() => parseCheckpoint(valid, { keys: 'a' } as never)).toThrow('parseCheckpoint: unknown option "keys"');
    expect(() => parseCheckpoint(valid, null as never)).toThrow(TypeError);
  });
});
