import { describe, expect, test } from 'vitest';
import { loadOnnx } from '../src/onnx.ts';
import * as ort from '../src/ort.ts';
import { parseSafetensors } from '../src/safetensors.ts';
import { readFixture } from './support/fixtures.ts';
import { onnxFile } from './support/onnx-files.ts';

// lstm-wasm/ort does what onnxruntime-web 1.30 does, except where docs/formats/ort.md says otherwise.

const INT64 = 7;

/** y = x + x, z = x * x, and s = n + n of a scalar n. */
const bytes = onnxFile({
  nodes: [
    { op: 'Add', inputs: ['x', 'x'], outputs: ['y'] },
    { op: 'Mul', inputs: ['x', 'x'], outputs: ['z'] },
    { op: 'Add', inputs: ['n', 'n'], outputs: ['s'] },
  ],
  inputs: { x: ['batch', '', 2], n: [] },
  outputs: { y: ['batch', '', 2], z: undefined, s: [] },
  types: { n: INT64, s: INT64 },
});
const x = () => new ort.Tensor('float32', [1, 2, 3, 4], [1, 2, 2]);
const n = () => new ort.Tensor('int64', [21n], []);
const feeds = () => ({ x: x(), n: n() });
const create = () => ort.InferenceSession.create(bytes);

describe('Tensor', () => {
  test('takes typed arrays as they are, with a type or without', () => {
    for (const [type, data] of [
      ['float32', Float32Array.of(1, 2)],
      ['int64', BigInt64Array.of(1n, 2n)],
      ['int32', Int32Array.of(1, 2)],
      ['bool', Uint8Array.of(0, 1)],
    ] as const) {
      const tensor = new ort.Tensor(type, data, [2, 1]);
      expect(tensor.data).toBe(data);
      expect([tensor.type, tensor.dims, tensor.size, tensor.location]).toEqual([type, [2, 1], 2, 'cpu']);
      if (type === 'bool') continue;
      const inferred = new ort.Tensor(data as Float32Array);
      expect(inferred.data).toBe(data);
      expect([inferred.type, inferred.dims]).toEqual([type, [2]]);
    }
  });

  test('converts plain arrays', () => {
    expect(new ort.Tensor('float32', [0.5, 2]).data).toEqual(Float32Array.of(0.5, 2));
    expect(new ort.Tensor('int32', [-1, 2]).data).toEqual(Int32Array.of(-1, 2));
    expect(new ort.Tensor('int64', [-1n, 2n ** 62n]).data).toEqual(BigInt64Array.of(-1n, 2n ** 62n));
    expect(new ort.Tensor('int64', [-1, 2]).data).toEqual(BigInt64Array.of(-1n, 2n));
    expect(new ort.Tensor('bool', [true, false]).data).toEqual(Uint8Array.of(1, 0));
    const inferred = new ort.Tensor([false, true], [1, 2]);
    expect([inferred.type, inferred.data, inferred.dims]).toEqual(['bool', Uint8Array.of(0, 1), [1, 2]]);
  });

  test('has scalars and empty tensors', () => {
    expect(new ort.Tensor('float32', [7], [])).toMatchObject({ dims: [], size: 1 });
    expect(new ort.Tensor('float32', [], [0, 3])).toMatchObject({ dims: [0, 3], size: 0 });
  });

  test('keeps its dims when the caller changes the array', () => {
    const dims = [2, 2];
    const tensor = new ort.Tensor(new Float32Array(4), dims);
    dims[0] = 9;
    expect(tensor.dims).toEqual([2, 2]);
  });

  test('reshape shares the data', () => {
    const tensor = x();
    const flat = tensor.reshape([4]);
    expect(flat.data).toBe(tensor.data);
    expect([flat.dims, flat.type, flat instanceof ort.Tensor]).toEqual([[4], 'float32', true]);
    expect(() => tensor.reshape([5])).toThrow(RangeError);
  });

  test('getData resolves to the data; dispose drops it', async () => {
    const tensor = x();
    expect(await tensor.getData()).toBe(tensor.data);
    expect(await tensor.getData(true)).toBe(tensor.data);
    tensor.dispose();
    tensor.dispose();
    expect([tensor.location, tensor.dims, tensor.size]).toEqual(['none', [1, 2, 2], 4]);
    expect(() => tensor.data).toThrow(/^Tensor: used after dispose\(\)$/);
    await expect(tensor.getData()).rejects.toThrow('used after dispose()');
    expect(() => tensor.reshape([4])).toThrow('used after dispose()');
  });

  test('fromPinnedBuffer does what the constructor does; members for GPU and canvas refuse', () => {
    const data = Int32Array.of(1, 2);
    const tensor = ort.Tensor.fromPinnedBuffer('int32', data, [2, 1]);
    expect(tensor.data).toBe(data);
    expect([tensor.type, tensor.dims, tensor.location]).toEqual(['int32', [2, 1], 'cpu']);
    for (const name of ['fromImage', 'fromTexture', 'fromGpuBuffer', 'fromMLTensor']) {
      expect(() => (ort.Tensor as any)[name]({})).toThrow(`Tensor.${name}: not supported, a tensor here is`);
    }
    for (const name of ['toDataURL', 'toImageData']) {
      expect(() => (tensor as any)[name]()).toThrow(`Tensor.${name}: not supported`);
    }
  });

  const refusals: [string, unknown[], new (message: string) => Error, RegExp][] = [
    ['another type', ['uint16', new Uint16Array(1)], TypeError, /"type" expected float32, .* got "uint16"$/],
    ['strings', ['string', ['a']], TypeError, /got "string"$/],
    ['a name of every object', ['toString', [1]], TypeError, /got "toString"$/],
    ['an array of another type', [new Float64Array(1)], TypeError, /"type" expected .*got a Float64Array$/],
    ['a type and another array', ['float32', new Float64Array(2)], TypeError, /"data" expected a Float32Array/],
    ['numbers without a type', [[1, 2]], TypeError, /"type" expected/],
    ['nothing', [], TypeError, /"data" expected a typed array/],
    ['no data', ['int32'], TypeError, /"data" expected a Int32Array/],
    ['text among numbers', ['float32', [1, '2']], TypeError, /"data\[1\]" expected a number for float32, got "2"$/],
    ['bigints among floats', ['float32', [1n]], TypeError, /"data\[0\]" expected a number for float32, got 1n$/],
    ['a fraction as int64', ['int64', [1.5]], RangeError, /1\.5/],
    ['dims of another size', ['float32', [1, 2], [3]], RangeError, /"data" expected 3 elements for dims \[3\], got 2$/],
    ['dims that are fractions', ['float32', [1, 2], [1.5]], RangeError, /"float32.dims" expected integers/],
    ['negative dims', [new Float32Array(2), [-2]], RangeError, /dims" expected integers of at least 0/],
    ['dims that are no array', ['float32', [1], 1], TypeError, /dims" expected an array/],
  ];
  test.each(refusals)('refuses %s', (_, args, type, message) => {
    const construct = () => new (ort.Tensor as any)(...args);
    expect(construct).toThrow(type);
    expect(construct).toThrow(message);
  });
});

describe('InferenceSession.create', () => {
  test('takes bytes in every form', async () => {
    const padded = new Uint8Array(bytes.length + 20);
    padded.set(bytes, 10);
    const whole = Uint8Array.from(bytes).buffer;
    // a page that is not isolated gets shared memory only from WebAssembly
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
    new Uint8Array(shared).set(bytes);
    const options = { executionProviders: ['webgpu', { name: 'wasm' }], graphOptimizationLevel: 'all' as const };
    const tail = padded.slice(0, bytes.length + 10).buffer;
    const sessions = [
      ort.InferenceSession.create(bytes),
      ort.InferenceSession.create(padded.subarray(10, 10 + bytes.length), options),
      ort.InferenceSession.create(whole, options),
      ort.InferenceSession.create(shared, 0, bytes.length),
      ort.InferenceSession.create(new Uint8Array(shared, 0, bytes.length), options),
      ort.InferenceSession.create(padded.buffer, 10, bytes.length, options),
      ort.InferenceSession.create(tail, 10),
      ort.InferenceSession.create(tail, 10, undefined, options),
    ];
    for (const session of await Promise.all(sessions)) {
      expect(session.inputNames).toEqual(['x', 'n']);
      expect((await session.run(feeds())).y!.data).toEqual(Float32Array.of(2, 4, 6, 8));
    }
  });

  test('fetches the file at a string or URL', async () => {
    const url = `data:application/octet-stream;base64,${btoa(String.fromCharCode(...bytes))}`;
    for (const uri of [url, new URL(url)]) {
      const session = await ort.InferenceSession.create(uri, { logSeverityLevel: 3 });
      expect((await session.run(feeds())).s!.data).toEqual(BigInt64Array.of(42n));
    }
  });

  test('advises to give bytes where a path cannot be fetched', async () => {
    const path = 'http://[/model.onnx';
    const message =
      /^InferenceSession\.create: "http:\/\/\[\/model\.onnx" cannot be fetched here \(.+\); .* give the bytes$/;
    await expect(ort.InferenceSession.create(path)).rejects.toThrow(message);
  });

  test('lists names and metadata', async () => {
    const session = await create();
    expect(session.outputNames).toEqual(['y', 'z', 's']);
    expect(session.inputMetadata).toEqual([
      { name: 'x', isTensor: true, type: 'float32', shape: ['batch', '', 2] },
      { name: 'n', isTensor: true, type: 'int64', shape: [] },
    ]);
    expect(session.outputMetadata[0]).toEqual({ name: 'y', isTensor: true, type: 'float32', shape: ['batch', '', 2] });
    expect(session instanceof (ort.InferenceSession as any)).toBe(true);
  });

  const refusals: [string, unknown[], new (...args: any[]) => Error, RegExp][] = [
    ['nothing', [], TypeError, /"bytes" expected a Uint8Array or an ArrayBuffer/],
    ['another typed array', [new Float32Array(3)], TypeError, /"bytes" expected/],
    ['options that are no object', [bytes, 5], TypeError, /"options" expected an object, got 5$/],
    ['options that are null', [bytes, null], TypeError, /"options" expected an object, got null$/],
    ['an offset outside', [bytes.buffer, bytes.buffer.byteLength + 1], RangeError, /"byteOffset" expected/],
    ['a length outside', [bytes.buffer, 1, bytes.buffer.byteLength], RangeError, /"byteLength" expected/],
    [
      'kernels that are none',
      [bytes, { kernels: 7 }],
      TypeError,
      /"kernels" expected this version's compiled lstm-onnx\.wasm/,
    ],
    ['no model', [new Uint8Array(10)], ort.ModelError, /^onnx/],
    ['an empty file', [new Uint8Array(0)], ort.ModelError, /^onnx/],
  ];
  test.each(refusals)('refuses %s', async (_, args, type, message) => {
    const error = await (ort.InferenceSession.create as any)(...args).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(message);
  });

  test('lists unsupported operators', async () => {
    const file = onnxFile({ nodes: [{ op: 'Fft', name: 'a', outputs: ['y'] }] });
    await expect(ort.InferenceSession.create(file)).rejects.toThrow(/Fft.*a/);
  });
});

describe('run', () => {
  test('gives tensors by name, in the model’s order', async () => {
    const results = await (await create()).run(feeds());
    expect(Object.keys(results)).toEqual(['y', 'z', 's']);
    for (const tensor of Object.values(results)) expect(tensor).toBeInstanceOf(ort.Tensor);
    const { y, z, s } = results;
    expect([y!.type, y!.dims, y!.data]).toEqual(['float32', [1, 2, 2], Float32Array.of(2, 4, 6, 8)]);
    expect([z!.type, z!.dims, z!.data]).toEqual(['float32', [1, 2, 2], Float32Array.of(1, 4, 9, 16)]);
    expect([s!.type, s!.dims, s!.data]).toEqual(['int64', [], BigInt64Array.of(42n)]);
  });

  test('gives the bits of loadOnnx, and results can be fed again', async () => {
    const file = await readFixture('onnx-ort/bidirectional_states.onnx');
    const tensors = parseSafetensors(await readFixture('onnx-ort/bidirectional_states.safetensors'));
    const direct = loadOnnx(file);
    const session = await ort.InferenceSession.create(file);
    const fed = Object.fromEntries(
      session.inputNames.map((name) => {
        const { data, dims } = tensors.get(name)!;
        return [name, new ort.Tensor('float32', data as Float32Array, dims)];
      }),
    );
    const results = await session.run(fed);
    for (const [name, { data }] of Object.entries(direct.run(fed))) expect(results[name]!.data).toEqual(data);
    const state = session.inputNames.find((name) => /h/i.test(name))!;
    const next = session.outputNames.find((name) => /h/i.test(name))!;
    const again = { ...fed, [state]: results[next]! };
    const expected = direct.run(again)[next]!.data;
    expect((await session.run(again))[next]!.data).toEqual(expected);
    expect(expected).not.toEqual(results[next]!.data);
    direct.dispose();
    await session.release();
  });

  test('returns only the outputs in fetches, by name or with null', async () => {
    const session = await create();
    for (const fetches of [['z'], { z: null }]) {
      const results = await session.run(feeds(), fetches, { logSeverityLevel: 3 });
      expect(Object.keys(results)).toEqual(['z']);
    }
    expect(Object.keys(await session.run(feeds(), ['s', 'y']))).toEqual(['s', 'y']);
  });

  test('an object without the name of an output is the options', async () => {
    const session = await create();
    for (const options of [{}, { tag: 'run', logSeverityLevel: 0 as const }, undefined]) {
      expect(Object.keys(await session.run(feeds(), options as object))).toEqual(['y', 'z', 's']);
    }
  });

  test('writes into a tensor in fetches, even one that is fed', async () => {
    const session = await create();
    const into = new ort.Tensor(new Float32Array(4), [1, 2, 2]);
    const { data } = into;
    const results = await session.run(feeds(), { z: into, s: null });
    expect(results.z).toBe(into);
    expect(into.data).toBe(data);
    expect(data).toEqual(Float32Array.of(1, 4, 9, 16));
    expect(results.s!.data).toEqual(BigInt64Array.of(42n));
    const both = x();
    await session.run({ x: both, n: n() }, { y: both });
    expect(both.data).toEqual(Float32Array.of(2, 4, 6, 8));
  });

  test('takes tensors of any maker, and one element in any dims for a scalar', async () => {
    const session = await create();
    const plain = { data: Float32Array.of(1, 2), dims: [1, 1, 2] };
    for (const dims of [[], [1], [1, 1]]) {
      const results = await session.run({ x: plain, n: new ort.Tensor('int64', [5], dims) });
      expect([results.s!.data, results.s!.dims]).toEqual([BigInt64Array.of(10n), []]);
    }
    const pinned = { ...plain, location: 'cpu-pinned', type: 'float32' };
    expect((await session.run({ x: pinned, n: n() })).y!.data).toEqual(Float32Array.of(2, 4));
  });

  test('reads the feeds before it returns', async () => {
    const session = await create();
    const fed = feeds();
    const running = session.run(fed);
    fed.x.data.fill(9);
    expect((await running).y!.data).toEqual(Float32Array.of(2, 4, 6, 8));
  });

  test('an output may have any name', async () => {
    const file = onnxFile({
      nodes: [{ op: 'Identity', inputs: ['constructor'], outputs: ['__proto__'] }],
      inputs: { constructor: [1] },
      outputs: { ['__proto__']: [1] },
    });
    const session = await ort.InferenceSession.create(file);
    const results = await session.run({ constructor: new ort.Tensor('float32', [3]) });
    expect(Object.getPrototypeOf(results)).toBe(Object.prototype);
    expect(Object.entries(results).map(([name, { data }]) => [name, ...data])).toEqual([['__proto__', 3]]);
  });

  const disposed = () => {
    const tensor = x();
    tensor.dispose();
    return tensor;
  };
  const small = () => new ort.Tensor('float32', [1], [1]);
  const refusals: [string, () => unknown[], new (message: string) => Error, RegExp][] = [
    ['no feeds', () => [], TypeError, /"feeds" expected an object of tensors by name, got undefined$/],
    ['a list of feeds', () => [[x(), n()]], TypeError, /"feeds" expected an object/],
    ['a missing feed', () => [{ x: x() }], TypeError, /missing feed "n"/],
    ['a feed too many', () => [{ ...feeds(), q: x() }], TypeError, /unknown feed "q"/],
    ['a feed of another type', () => [{ ...feeds(), x: n() }], TypeError, /"feed x.type" expected float32/],
    ['a feed of other dims', () => [{ ...feeds(), x: small() }], RangeError, /"feed x.dims" expected/],
    ['two numbers for a scalar', () => [{ x: x(), n: new ort.Tensor('int64', [1, 2]) }], RangeError, /"feed n.dims"/],
    ['a feed that is null', () => [{ ...feeds(), x: null }], TypeError, /"feed x" expected a tensor/],
    ['a feed after dispose()', () => [{ ...feeds(), x: disposed() }], TypeError, /feed "x" is a tensor after dispose/],
    ['a feed on a GPU', () => [{ ...feeds(), x: { location: 'gpu-buffer' } }], TypeError, /"feed x.location" expected/],
    ['no name in fetches', () => [feeds(), []], TypeError, /"fetches" expected at least one name/],
    ['fetches that are null', () => [feeds(), null], TypeError, /"fetches" expected an object/],
    ['fetches that are a tensor', () => [feeds(), x()], TypeError, /"fetches" expected names/],
    ['a name that is no output', () => [feeds(), ['x']], RangeError, /"fetches" expected "y", "z", "s", got "x"$/],
    ['a name among tensors that is none', () => [feeds(), { y: null, x: null }], RangeError, /"fetches" expected/],
    ['a fetch that is a number', () => [feeds(), [7]], TypeError, /"fetches" expected names/],
    ['a fetch that is no tensor', () => [feeds(), { y: 7 }], TypeError, /"fetch y" expected a Tensor or null/],
    ['a fetch of another type', () => [feeds(), { y: n() }], TypeError, /"fetch y.type" expected float32/],
    ['a fetch of other dims', () => [feeds(), { y: small() }], RangeError, /"fetch y.dims" expected \[1, 2, 2\]/],
    ['a fetch after dispose()', () => [feeds(), { y: disposed() }], TypeError, /fetch "y" is a tensor after dispose/],
    ['options that are no object', () => [feeds(), ['y'], 3], TypeError, /"options" expected an object, got 3$/],
  ];
  test.each(refusals)('refuses %s, and runs afterwards', async (_, args, type, message) => {
    const session = await create();
    const error = await (session.run as any)(...args()).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(message);
    expect((await session.run(feeds())).y!.data).toEqual(Float32Array.of(2, 4, 6, 8));
  });

  test('writes into no tensor if another does not fit', async () => {
    const session = await create();
    const into = new ort.Tensor(new Float32Array(4), [1, 2, 2]);
    await expect(session.run(feeds(), { y: into, z: small() })).rejects.toThrow('fetch z');
    expect(into.data).toEqual(new Float32Array(4));
  });

  test('ends with release()', async () => {
    const session = await create();
    session.startProfiling();
    session.endProfiling();
    const { y } = await session.run(feeds());
    await session.release();
    await session.release();
    await expect(session.run(feeds())).rejects.toThrow(/^InferenceSession: used after release\(\)$/);
    expect(y!.data).toEqual(Float32Array.of(2, 4, 6, 8));
    expect(session.inputNames).toEqual(['x', 'n']);
  });
});

describe('the module', () => {
  test('has a default export with the same members', () => {
    const { InferenceSession, Tensor, env } = ort;
    expect(ort.default).toEqual({ InferenceSession, Tensor, env });
    expect([Tensor.name, (InferenceSession as any).name]).toEqual(['Tensor', 'InferenceSession']);
  });

  test('takes every setting of env', () => {
    const { env } = ort;
    env.logLevel = 'error';
    env.debug = true;
    env.wasm.numThreads = 4;
    env.wasm.simd = true;
    env.wasm.proxy = true;
    env.wasm.wasmPaths = `https://example.org/onnxruntime-web@${env.versions.web}/dist/`;
    env.webgpu.powerPreference = 'low-power';
    env.webgl.pack = true;
    env.anything = 1;
    expect(env.wasm.numThreads).toBe(4);
    expect(env.versions.common).toMatch(/^1\.\d+\.\d+$/);
  });
});
