import { describe, expect, inject, test } from 'vitest';
import { bytesUsed } from '../src/index.ts';
import { loadOnnx, ModelError, type OnnxFeed, type OnnxGraph, type OnnxTensor, parseOnnx } from '../src/onnx.ts';
import { readFixture } from './support/fixtures.ts';
import { onnxDigest } from './support/onnx-digest.ts';
import {
  type Attribute,
  graphProto,
  message,
  modelFile,
  type NodeSpec,
  onnxFile,
  tensorProto,
} from './support/onnx-files.ts';
import { uniforms } from './support/random.ts';

// parseOnnx's view of a file, the feeds of a model, and rules that hold for every operator.

const floats = (...values: number[]) => Float32Array.from(values);
const vector = (...values: number[]): OnnxFeed => ({ data: floats(...values), dims: [values.length] });

describe('parseOnnx', () => {
  test('shows the graph, its tensors and subgraphs', () => {
    const branch = graphProto({
      nodes: [{ op: 'Identity', inputs: ['a'], outputs: ['inner'] }],
      outputs: { inner: [2] },
    });
    const file = onnxFile(
      {
        nodes: [
          {
            op: 'If',
            name: 'choose',
            inputs: ['yes'],
            outputs: ['y'],
            attributes: { then_branch: { graph: branch }, else_branch: { graph: branch } },
          },
          {
            op: 'Odd',
            domain: 'com.example',
            attributes: {
              i: -3,
              big: 2 ** 53,
              f: floats(0.1),
              s: 'text',
              ints: [1, -2],
              floats: floats(1, 2),
              strings: ['a', 'b'],
              t: tensorProto('t', [1, 2], BigInt64Array.of(2n ** 60n, -1n)),
            },
          },
        ],
        inputs: { yes: [], x: ['batch', '', 3] },
        types: { yes: 9 },
        initializers: [tensorProto('a', [2], floats(0.5, -0))],
      },
      13,
    );
    const model = parseOnnx(file);
    expect(model.irVersion).toBe(8);
    expect(model.producer).toBe('test');
    expect(model.opsets).toEqual(new Map([['', 13]]));
    const { graph } = model;
    expect(graph.name).toBe('test');
    expect(graph.inputs).toEqual([
      { name: 'yes', type: 'bool', dims: [] },
      { name: 'x', type: 'float32', dims: ['batch', '', 3] },
    ]);
    expect(graph.outputs).toEqual([{ name: 'y', type: 'float32', dims: undefined }]);
    const a = graph.initializers.get('a')!;
    expect([a.name, a.type, a.dims]).toEqual(['a', 'float32', [2]]);
    expect(a.data).toEqual(floats(0.5, -0));
    expect(a.data).toBe(a.data);
    const [choose, odd] = graph.nodes as [OnnxGraph['nodes'][0], OnnxGraph['nodes'][0]];
    expect([choose.opType, choose.domain, choose.name]).toEqual(['If', '', 'choose']);
    const inner = choose.attributes.get('then_branch') as OnnxGraph;
    expect(inner.nodes.map(({ opType, inputs, outputs }) => [opType, inputs, outputs])).toEqual([
      ['Identity', ['a'], ['inner']],
    ]);
    expect(odd.domain).toBe('com.example');
    const { t, ...rest } = Object.fromEntries(odd.attributes);
    expect(rest).toEqual({
      i: -3,
      big: 2n ** 53n,
      f: Math.fround(0.1),
      s: 'text',
      ints: [1, -2],
      floats: [1, 2],
      strings: ['a', 'b'],
    });
    expect((t as OnnxTensor).data).toEqual(BigInt64Array.of(2n ** 60n, -1n));
  });

  test('does not read tensors, nor keep the file’s memory in their data', () => {
    const bytes = onnxFile({ nodes: [], initializers: [tensorProto('a', [2], floats(1, 2))] });
    const { data } = parseOnnx(bytes.slice()).graph.initializers.get('a')!;
    expect(data.length * 4).toBe((data as Float32Array).buffer.byteLength);
    const at = bytes.findIndex((_, i) => new DataView(bytes.buffer, bytes.byteOffset + i).getFloat32(0, true) === 1);
    const { initializers } = parseOnnx(bytes).graph;
    new DataView(bytes.buffer, bytes.byteOffset + at).setFloat32(0, 5, true);
    expect(initializers.get('a')!.data).toEqual(floats(5, 2));
  });

  test('takes a view in the middle of a buffer, and an ArrayBuffer', async () => {
    const file = await readFixture('onnx-ort/forward.onnx');
    const wide = new Uint8Array(file.length + 7);
    wide.set(file, 5);
    expect(parseOnnx(wide.subarray(5, 5 + file.length))).toEqual(parseOnnx(file.slice().buffer));
    for (const wrong of [undefined, null, 'x', [1], new Float32Array(2), new DataView(new ArrayBuffer(2))]) {
      expect(() => parseOnnx(wrong as never)).toThrow(TypeError);
      expect(() => loadOnnx(wrong as never)).toThrow(TypeError);
    }
  });

  test.each([
    ['float32', 1, [1, -2], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0], floats(1, -2)],
    ['uint8', 2, [1, 255], [1, 255], Uint8Array.of(1, 255)],
    ['int8', 3, [1, -1], [1, 255], Int8Array.of(1, -1)],
    ['uint16', 4, [1, 65535], [1, 0, 255, 255], Uint16Array.of(1, 65535)],
    ['int16', 5, [1, -1], [1, 0, 255, 255], Int16Array.of(1, -1)],
    ['int32', 6, [1, -1], [1, 0, 0, 0, 255, 255, 255, 255], Int32Array.of(1, -1)],
    ['int64', 7, [1, -1], [1, 0, 0, 0, 0, 0, 0, 0, ...Array(8).fill(255)], BigInt64Array.of(1n, -1n)],
    ['bool', 9, [1, 0], [1, 0], Uint8Array.of(1, 0)],
    ['float16', 10, [0x3c00, 0xc000], [0, 0x3c, 0, 0xc0], floats(1, -2)],
    ['float64', 11, [1, -2], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0], floats(1, -2)],
    ['uint32', 12, [1, 2 ** 32 - 1], [1, 0, 0, 0, 255, 255, 255, 255], Uint32Array.of(1, 2 ** 32 - 1)],
    ['uint64', 13, [1, 2], [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], BigUint64Array.of(1n, 2n)],
    ['bfloat16', 16, [0x3f80, 0xc000], [0x80, 0x3f, 0, 0xc0], floats(1, -2)],
    ['float8e4m3fn', 17, [1, 255], [1, 255], Uint8Array.of(1, 255)],
    ['float8e5m2', 19, [1, 255], [1, 255], Uint8Array.of(1, 255)],
    ['float8e8m0', 24, [1, 255], [1, 255], Uint8Array.of(1, 255)],
    ['int4', 22, [0x21], [0x21], Uint8Array.of(0x21)],
  ])('%s from raw_data and from its field', (name, type, values, raw, expected) => {
    const fields: Record<string, number> = { float32: 4, int64: 7, float64: 10, uint32: 11, uint64: 11 };
    const field = fields[name] ?? 5;
    const tensor = (write: (w: Parameters<Parameters<typeof message>[0]>[0]) => void) =>
      parseOnnx(
        onnxFile({
          nodes: [],
          initializers: [
            message((w) => {
              w.tag(1, 0).int64(2);
              w.tag(2, 0).int64(type);
              w.tag(8, 2).string('a');
              write(w);
            }),
          ],
        }),
      ).graph.initializers.get('a')!;
    const ways = [
      tensor((w) => w.tag(9, 2).bytes(Uint8Array.from(raw))),
      // each element a field
      tensor((w) => {
        for (const value of values) {
          if (field === 4) w.tag(field, 5).float(value);
          else if (field === 10) w.tag(field, 1).double(value);
          else w.tag(field, 0).int64(value);
        }
      }),
      // packed
      tensor((w) => {
        const packed = message((p) => {
          for (const value of values) field === 4 ? p.float(value) : field === 10 ? p.double(value) : p.int64(value);
        });
        w.tag(field, 2).bytes(packed);
      }),
    ];
    for (const one of ways) expect([one.type, one.data]).toEqual([name, expected]);
  });
});

describe('run', () => {
  // a computed key, since a literal one would be the prototype
  const PROTO = '__proto__';
  const add = () =>
    loadOnnx(
      onnxFile({
        nodes: [{ op: 'Add', inputs: ['a', '__proto__'], outputs: ['y'] }],
        inputs: { a: ['n', 2], [PROTO]: [2] },
      }),
    );
  const feeds = (change: Record<string, unknown> = {}) =>
    new Map<string, OnnxFeed>(
      Object.entries({
        a: { data: floats(1, 2, 3, 4), dims: [2, 2] },
        [PROTO]: vector(10, 20),
        ...change,
      }) as never,
    );

  test('lists inputs and outputs, takes feeds in a Map or an object, and allows any name', () => {
    const session = add();
    expect(session.inputs).toEqual([
      { name: 'a', type: 'float32', dims: ['n', 2] },
      { name: '__proto__', type: 'float32', dims: [2] },
    ]);
    expect(session.outputs).toEqual([{ name: 'y', type: 'float32', dims: undefined }]);
    expect(session.lstms).toEqual([]);
    const { y } = session.run(feeds());
    expect(y).toEqual({ data: floats(11, 22, 13, 24), dims: [2, 2], type: 'float32' });
    const object = Object.fromEntries(feeds());
    expect(session.run(object)).toEqual(session.run(feeds()));
    expect(Object.getPrototypeOf(session.run(object))).toBe(null);
    session.dispose();
    session.dispose();
    expect(() => session.run(object)).toThrow('onnx: used after dispose()');
  });

  // browsers hide SharedArrayBuffer from pages that are not isolated, but not this
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;

  test.each<[string, Record<string, unknown>, RegExp]>([
    ['a feed too many', { b: vector(1) }, /unknown feed "b", expected "a", "__proto__"/],
    ['another rank', { a: vector(1, 2) }, /"feed a.dims" expected \[n, 2\], got \[2\]/],
    ['another size', { a: { data: floats(1, 2, 3), dims: [1, 3] } }, /"feed a.dims" expected \[n, 2\], got \[1, 3\]/],
    ['data too short', { a: { data: floats(1, 2, 3), dims: [2, 2] } }, /"feed a.data" expected 4 elements/],
    ['a wrong array', { a: { data: Int32Array.of(1, 2), dims: [1, 2] } }, /"feed a.data" expected a Float32Array/],
    ['a wrong type', { a: { data: floats(1, 2), dims: [1, 2], type: 'float16' } }, /"feed a.type" expected float32/],
    ['a negative size', { a: { data: floats(), dims: [-1, 2] } }, /"feed a.dims" expected an array of integers/],
    ['no dims', { a: { data: floats() } }, /"feed a.dims" expected an array/],
    ['no tensor', { a: null }, /"feed a" expected a tensor/],
    ['undefined', { a: undefined }, /"feed a" expected a tensor/],
    ['shared memory', { a: { data: new Float32Array(shared, 0, 2), dims: [1, 2] } }, /view of an ArrayBuffer/],
  ])('refuses %s by name', (_, change, expected) => {
    const session = add();
    expect(() => session.run(feeds(change))).toThrow(expected);
    const missing = feeds();
    missing.delete('a');
    expect(() => session.run(missing)).toThrow('run: missing feed "a"');
    expect(() => session.run(undefined as never)).toThrow(TypeError);
    expect(session.run(feeds()).y!.data).toEqual(floats(11, 22, 13, 24));
    session.dispose();
  });

  test('refuses a detached feed', () => {
    const session = add();
    const data = floats(1, 2);
    structuredClone(data, { transfer: [data.buffer] });
    expect(() => session.run(feeds({ a: { data, dims: [1, 2] } }))).toThrow(/expected 2 elements/);
    session.dispose();
  });

  test('names the node whose inputs have shapes that do not fit', () => {
    const session = loadOnnx(
      onnxFile({ nodes: [{ op: 'Add', name: 'sum', inputs: ['a', 'b'] }], inputs: { a: ['n'], b: ['m'] } }),
    );
    const call = () => session.run({ a: vector(1, 2), b: vector(1, 2, 3) });
    expect(call).toThrow(ModelError);
    expect(call).toThrow('onnx: node "sum" (Add): inputs expected dims that stretch to each other, got [2] and [3]');
    session.dispose();
  });

  test('gives results that share nothing with feeds, weights or each other', () => {
    const session = loadOnnx(
      onnxFile({
        nodes: [
          { op: 'Identity', inputs: ['a'], outputs: ['y'] },
          { op: 'Identity', inputs: ['a'], outputs: ['z'] },
          { op: 'Identity', inputs: ['c'], outputs: ['w'] },
        ],
        inputs: { a: [2] },
        outputs: { y: [2], z: [2], w: [2] },
        initializers: [tensorProto('c', [2], floats(5, 6))],
      }),
    );
    const a = vector(1, 2);
    const first = session.run({ a });
    for (const { data } of Object.values(first)) data.fill(9 as never);
    expect(a.data).toEqual(floats(1, 2));
    expect(session.run({ a }).w!.data).toEqual(floats(5, 6));
    session.dispose();
  });

  test('an input with an initializer is a constant and not fed', () => {
    const session = loadOnnx(
      onnxFile({
        nodes: [{ op: 'Mul', inputs: ['a', 'c'] }],
        inputs: { a: [2], c: [2] },
        initializers: [tensorProto('c', [2], floats(5, 6))],
      }),
    );
    expect(session.inputs.map(({ name }) => name)).toEqual(['a']);
    expect(session.run({ a: vector(1, 2) }).y!.data).toEqual(floats(5, 12));
    expect(() => session.run({ a: vector(1, 2), c: vector(1, 2) })).toThrow(/unknown feed "c"/);
    session.dispose();
  });
});

describe('If', () => {
  const graph = (name: string, op: string) =>
    graphProto({ nodes: [{ op, name, inputs: ['a', 'c'], outputs: ['inner'] }], outputs: { inner: undefined } });
  const load = (thenOp: string, elseOp: string) =>
    loadOnnx(
      onnxFile({
        nodes: [
          { op: 'Abs', inputs: ['x'], outputs: ['a'] },
          {
            op: 'If',
            inputs: ['yes'],
            attributes: { then_branch: { graph: graph('t', thenOp) }, else_branch: { graph: graph('e', elseOp) } },
          },
        ],
        inputs: { x: [2], yes: [] },
        types: { yes: 9 },
        initializers: [tensorProto('c', [2], floats(3, 4))],
      }),
    );
  const yes = (value: number): OnnxFeed => ({ data: Uint8Array.of(value), dims: [] });

  test('runs one branch, which sees the names outside', () => {
    const session = load('Add', 'Mul');
    expect(session.run({ x: vector(-1, 2), yes: yes(1) }).y!.data).toEqual(floats(4, 6));
    expect(session.run({ x: vector(-1, 2), yes: yes(0) }).y!.data).toEqual(floats(3, 8));
    session.dispose();
  });

  test('an initializer of a branch may have the name of an outer value, the output of its node may not', () => {
    const own = (nodes: NodeSpec[], initializers: Uint8Array[] = []) => ({
      graph: graphProto({ nodes, outputs: { inner: undefined }, initializers }),
    });
    const add = { op: 'Add', inputs: ['x', 'c'], outputs: ['inner'] };
    const load = (thenBranch: { graph: Uint8Array }) =>
      loadOnnx(
        onnxFile({
          nodes: [
            { op: 'If', inputs: ['yes'], attributes: { then_branch: thenBranch, else_branch: own([add]) } },
            { op: 'Add', inputs: ['x', 'c'], outputs: ['z'] },
          ],
          inputs: { x: [2], yes: [] },
          types: { yes: 9 },
          outputs: { y: undefined, z: undefined },
          initializers: [tensorProto('c', [2], floats(3, 4))],
        }),
      );
    const session = load(own([add], [tensorProto('c', [1], floats(100))]));
    for (const [value, expected] of [
      [1, floats(101, 102)],
      [0, floats(4, 6)],
    ] as const) {
      const { y, z } = session.run({ x: vector(1, 2), yes: yes(value) });
      expect([y!.data, z!.data]).toEqual([expected, floats(4, 6)]);
    }
    session.dispose();
    const hiding = own([{ op: 'Neg', inputs: ['x'], outputs: ['c'] }, add]);
    expect(() => load(hiding)).toThrow(/then_branch: expected each name once, got "c" twice$/);
  });

  test('runs an If in an If, branches of different shapes, a branch without nodes, and a condition known at load', () => {
    const branch = (nodes: NodeSpec[], output: string) => ({
      graph: graphProto({ nodes, outputs: Object.fromEntries([[output, undefined]]) }),
    });
    const choose = (condition: string, output: string, yesBranch: Attribute, noBranch: Attribute): NodeSpec => ({
      op: 'If',
      inputs: [condition],
      outputs: [output],
      attributes: { then_branch: yesBranch, else_branch: noBranch },
    });
    const inner = choose(
      'no',
      'chosen',
      branch([], 'a'),
      branch([{ op: 'Add', inputs: ['a', 'x'], outputs: ['sum'] }], 'sum'),
    );
    const session = loadOnnx(
      onnxFile({
        nodes: [
          { op: 'Abs', inputs: ['x'], outputs: ['a'] },
          choose(
            'yes',
            'y',
            branch([{ op: 'Not', inputs: ['yes'], outputs: ['no'] }, inner], 'chosen'),
            branch([{ op: 'Unsqueeze', inputs: ['a', 'zero'], outputs: ['wide'] }], 'wide'),
          ),
          { op: 'Equal', inputs: ['zero', 'zero'], outputs: ['known'] },
          choose(
            'known',
            'z',
            branch([{ op: 'Shape', inputs: ['a'], outputs: ['dims'] }], 'dims'),
            branch([{ op: 'MatMul', inputs: ['a', 'zero'], outputs: ['never'] }], 'never'),
          ),
        ],
        inputs: { x: [2], yes: [] },
        types: { yes: 9, z: 7 },
        outputs: { y: undefined, z: undefined },
        initializers: [tensorProto('zero', [1], BigInt64Array.of(0n))],
      }),
    );
    const results = [1, 0].map((value) => session.run({ x: vector(-1, 2), yes: yes(value) }));
    expect(results.map(({ y }) => [y!.dims, y!.data])).toEqual([
      [[2], floats(0, 4)],
      [[1, 2], floats(1, 2)],
    ]);
    for (const { z } of results) expect(z).toEqual({ type: 'int64', dims: [1], data: BigInt64Array.of(2n) });
    session.dispose();
  });

  test('refuses an unsupported operator at load, in either branch', () => {
    expect(() => load('Add', 'Einsum')).toThrow(/not supported: Einsum \("e"\)/);
  });
});

test('one error lists every unsupported operator with its nodes', () => {
  const call = () =>
    loadOnnx(
      onnxFile({
        nodes: [
          { op: 'GRU', name: 'first', inputs: ['x'] },
          { op: 'Relu', inputs: ['x'], outputs: ['r'] },
          { op: 'GRU', inputs: ['x'], outputs: ['second'] },
          { op: 'Relu', domain: 'com.example', name: 'other', inputs: ['x'], outputs: ['o'] },
        ],
        inputs: { x: [1] },
      }),
    );
  expect(call).toThrow(
    'onnx: graph: operators that are not supported: GRU ("first", "second"); com.example.Relu ("other")',
  );
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ code: 'unsupported', found: ['GRU', 'com.example.Relu'] });
  }
});

test('an operator is unsupported before the operator set that added it', () => {
  const load = (opset: number) =>
    loadOnnx(onnxFile({ nodes: [{ op: 'LayerNormalization', inputs: ['x', 'x'] }], inputs: { x: [2] } }, opset));
  expect(() => load(16)).toThrow(/not supported: LayerNormalization/);
  load(17).dispose();
  for (const opset of [6, 29])
    expect(() => load(opset)).toThrow(`expected an operator set of ONNX from 7 to 28, got ${opset}`);
});

test('products have the bits of the kernel in every shape, whether the matrix is constant or fed', () => {
  const next = uniforms(5);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => next() - 0.5);
  for (const [M, K, N] of [
    [1, 1, 1],
    [3, 5, 7],
    [2, 300, 17],
    [5, 4099, 33],
    [70, 9, 130],
    [1, 5000, 1],
    [2, 0, 3],
    [0, 2, 3],
  ] as const) {
    const a = { data: numbers(M * K), dims: [M, K] };
    const b = { data: numbers(K * N), dims: [K, N] };
    const results = [true, false].map((constant) => {
      const session = loadOnnx(
        onnxFile({
          nodes: [{ op: 'MatMul', inputs: ['a', 'b'] }],
          inputs: { a: ['m', 'k'], ...(!constant && { b: ['k', 'n'] }) },
          initializers: constant ? [tensorProto('b', b.dims, b.data)] : [],
        }),
      );
      const { y } = session.run(constant ? { a } : { a, b });
      session.dispose();
      return y!;
    });
    expect(results[0]).toEqual(results[1]);
    const { data, dims } = results[0]!;
    expect(dims).toEqual([M, N]);
    for (let i = 0; i < M; i++) {
      for (let j = 0; j < N; j++) {
        let sum = 0;
        for (let k = 0; k < K; k++) sum += a.data[i * K + k]! * b.data[k * N + j]!;
        expect(Math.abs((data[i * N + j] as number) - sum)).toBeLessThanOrEqual(1e-6 * Math.sqrt(K + 1));
      }
    }
  }
});

test('convolutions of every shape give what plain loops give', () => {
  const next = uniforms(6);
  const numbers = (count: number) => Float32Array.from({ length: count }, () => next() - 0.5);
  for (const [C, M, kernel, stride, dilation, before, after, group, length] of [
    [1, 1, 1, 1, 1, 0, 0, 1, 4],
    [3, 5, 3, 2, 1, 1, 1, 1, 9],
    [4, 6, 2, 1, 3, 0, 2, 2, 11],
    [6, 6, 3, 1, 1, 2, 0, 6, 7],
    [200, 200, 3, 1, 1, 1, 1, 200, 5],
    [7, 7, 3, 2, 2, 3, 1, 7, 12],
    [17, 33, 5, 3, 2, 4, 4, 1, 40],
  ] as const) {
    const x = { data: numbers(2 * C * length), dims: [2, C, length] };
    const w = { data: numbers((M * C * kernel) / group), dims: [M, C / group, kernel] };
    const bias = { data: numbers(M), dims: [M] };
    const results = [true, false].map((constant) => {
      const session = loadOnnx(
        onnxFile({
          nodes: [
            {
              op: 'Conv',
              inputs: ['x', 'w', 'b'],
              attributes: { strides: [stride], dilations: [dilation], pads: [before, after], group },
            },
          ],
          inputs: { x: ['n', 'c', 'l'], b: [M], ...(!constant && { w: w.dims }) },
          initializers: constant ? [tensorProto('w', w.dims, w.data)] : [],
        }),
      );
      const { y } = session.run({ x, b: bias, ...(!constant && { w }) });
      session.dispose();
      return y!;
    });
    expect(results[0]).toEqual(results[1]);
    const positions = Math.floor((length + before + after - (kernel - 1) * dilation - 1) / stride) + 1;
    expect(results[0]!.dims).toEqual([2, M, positions]);
    let at = 0;
    for (let n = 0; n < 2; n++) {
      for (let m = 0; m < M; m++) {
        for (let p = 0; p < positions; p++) {
          let sum = bias.data[m]!;
          const first = Math.floor(m / (M / group)) * (C / group);
          for (let c = 0; c < C / group; c++) {
            for (let k = 0; k < kernel; k++) {
              const i = p * stride - before + k * dilation;
              if (i >= 0 && i < length)
                sum += w.data[(m * (C / group) + c) * kernel + k]! * x.data[(n * C + first + c) * length + i]!;
            }
          }
          expect(Math.abs((results[0]!.data[at++] as number) - sum)).toBeLessThanOrEqual(2e-6);
        }
      }
    }
  }
});

describe('kernels', () => {
  const unary = (op: string, x: Float32Array) => {
    const session = loadOnnx(onnxFile({ nodes: [{ op, inputs: ['x'] }], inputs: { x: ['n'] } }));
    const { y } = session.run({ x: { data: x, dims: [x.length] } });
    session.dispose();
    return y!.data as Float32Array;
  };
  const grid = Float32Array.from({ length: 100_001 }, (_, i) => (i - 50_000) / 450);

  test('exp and log are the nearest float32', () => {
    const exp = unary('Exp', grid);
    const log = unary('Log', exp);
    let wrong = 0;
    for (const [i, x] of grid.entries()) {
      if (exp[i] !== Math.fround(Math.exp(x))) wrong++;
      if (log[i] !== Math.fround(Math.log(exp[i]!))) wrong++;
    }
    // a value within 1e-8 of the middle between two floats may be rounded either way
    expect(wrong).toBeLessThanOrEqual(2);
    expect(unary('Exp', floats(0, -0, Infinity, -Infinity, NaN, 88.8, -104))).toEqual(
      floats(1, 1, Infinity, 0, NaN, Infinity, 0),
    );
    expect(unary('Log', floats(0, -0, 1, Infinity, -1, NaN, 1e-45))).toEqual(
      floats(-Infinity, -Infinity, 0, Infinity, NaN, NaN, Math.log(2 ** -149)),
    );
  });

  test('pow has the special values of IEEE 754', () => {
    const values = [
      0,
      -0,
      1,
      -1,
      2,
      -2,
      3,
      -3,
      0.5,
      -0.5,
      Infinity,
      -Infinity,
      NaN,
      1e-45,
      3e38,
      16777216,
      -16777215,
      2.5,
      -1.5,
    ];
    const session = loadOnnx(
      onnxFile({ nodes: [{ op: 'Pow', inputs: ['x', 'e'] }], inputs: { x: ['n', 1], e: ['m'] } }),
    );
    const x = Float32Array.from(values);
    const { y } = session.run({ x: { data: x, dims: [x.length, 1] }, e: { data: x, dims: [x.length] } });
    session.dispose();
    let at = 0;
    for (const base of x) {
      for (const exponent of x) {
        // JavaScript alone makes NaN of these
        const one = base === 1 || (Math.abs(base) === 1 && Math.abs(exponent) === Infinity);
        const expected = one ? 1 : Math.fround(base ** exponent);
        expect([base, exponent, y!.data[at++]]).toEqual([base, exponent, expected]);
      }
    }
  });

  test('log softmax of large, equal and infinite values', () => {
    expect(unary('LogSoftmax', floats(1000, 1000, -Infinity))[0]).toBeCloseTo(-Math.log(2), 6);
    expect(unary('LogSoftmax', floats(-Infinity, -Infinity))).toEqual(floats(NaN, NaN));
    expect(unary('LogSoftmax', floats(1, NaN))).toEqual(floats(NaN, NaN));
  });
});

test('integers are exact beyond 2^53 and wrap at 64 bits', () => {
  const session = loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
        { op: 'Mul', inputs: ['a', 'b'], outputs: ['product'] },
        { op: 'Div', inputs: ['a', 'b'], outputs: ['quotient'] },
        { op: 'Cast', inputs: ['a'], outputs: ['float'], attributes: { to: 1 } },
      ],
      inputs: { a: ['n'], b: ['n'] },
      types: { a: 7, b: 7, sum: 7, product: 7, quotient: 7 },
      outputs: { sum: undefined, product: undefined, quotient: undefined, float: undefined },
    }),
  );
  // 2^60 + 2^36 + 1 lies above the middle of two float32, its float64 on it
  const a = BigInt64Array.of(2n ** 62n + 1n, -7n, 2n ** 60n + 2n ** 36n + 1n, -(2n ** 63n));
  const b = BigInt64Array.of(2n ** 62n, 2n, 3n, 1n);
  const results = session.run({ a: { data: a, dims: [4] }, b: { data: b, dims: [4] } });
  expect(results.sum!.data).toEqual(BigInt64Array.from(a, (x, i) => x + b[i]!));
  expect(results.product!.data).toEqual(BigInt64Array.from(a, (x, i) => x * b[i]!));
  expect(results.quotient!.data).toEqual(BigInt64Array.from(a, (x, i) => x / b[i]!));
  expect(results.float!.data).toEqual(floats(2 ** 62, -7, 2 ** 60 + 2 ** 37, -(2 ** 63)));
  const zero = { data: BigInt64Array.of(0n, 1n, 1n, 1n), dims: [4] };
  expect(() => session.run({ a: { data: a, dims: [4] }, b: zero })).toThrow(
    /Div\): divisor of integers expected not 0, got 0$/,
  );
  session.dispose();
});

test('a model in float16 is computed in float32 between its Casts', () => {
  const half = message((w) => {
    for (const size of [2, 1]) w.tag(1, 0).int64(size);
    w.tag(2, 0).int64(10);
    w.tag(8, 2).string('w');
    w.tag(9, 2).bytes(Uint8Array.of(0, 0x3c, 0, 0x38));
  });
  const session = loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Cast', inputs: ['x'], outputs: ['h'], attributes: { to: 10 } },
        { op: 'MatMul', inputs: ['h', 'w'], outputs: ['p'] },
        { op: 'Cast', inputs: ['p'], attributes: { to: 1 } },
      ],
      inputs: { x: [1, 2] },
      initializers: [half],
    }),
  );
  const { y } = session.run({ x: { data: floats(1.0005, 2), dims: [1, 2] } });
  expect(y).toEqual({ type: 'float32', dims: [1, 1], data: floats(2.0009765625) });
  session.dispose();
});

test('allows a decoder that makes a long sequence from two numbers', () => {
  const H = 512;
  const session = loadOnnx(
    onnxFile({
      nodes: [
        { op: 'Expand', inputs: ['z', 'dims'], outputs: ['steps'] },
        { op: 'LSTM', inputs: ['steps', 'W', 'R'], attributes: { hidden_size: H } },
      ],
      inputs: { z: [1, 1, 2] },
      initializers: [
        tensorProto('dims', [3], BigInt64Array.of(200n, 1n, 1n)),
        tensorProto('W', [1, 4 * H, 2], new Float32Array(8 * H).fill(0.1)),
        tensorProto('R', [1, 4 * H, H], new Float32Array(4 * H * H)),
      ],
    }),
  );
  expect(session.run({ z: { data: floats(1, 2), dims: [1, 1, 2] } }).y!.dims).toEqual([200, 1, 1, H]);
  session.dispose();
});

test('gives the same bits on every engine', () => {
  expect(onnxDigest()).toBe(inject('onnxDigest'));
});

test('repeated runs do not grow memory, and dispose gives all of it back', async () => {
  const before = bytesUsed();
  const session = loadOnnx(await readFixture('onnx-ort/torch_tagger_2l_bi.onnx'));
  const x = { data: new Float32Array(3 * 9 * 10), dims: [3, 9, 10] };
  session.run({ x });
  const used = bytesUsed();
  expect(used).toBeGreaterThan(before);
  for (let i = 0; i < 50; i++) session.run({ x });
  expect(bytesUsed()).toBe(used);
  session.dispose();
  expect(bytesUsed()).toBe(before);
});

test('a model that fails to load gives its memory back', () => {
  const before = bytesUsed();
  const file = modelFile(
    graphProto({
      nodes: [
        { op: 'MatMul', inputs: ['x', 'w'], outputs: ['m'] },
        { op: 'Transpose', inputs: ['w'], attributes: { perm: [0, 0] } },
      ],
      inputs: { x: [1, 64] },
      initializers: [tensorProto('w', [64, 64], new Float32Array(4096))],
    }),
    13,
  );
  expect(() => loadOnnx(file)).toThrow(/perm expected the axes/);
  expect(bytesUsed()).toBe(before);
});
