import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import wavefile from 'wavefile';
import { loadRTNeural } from '../../src/audio.ts';
import { Linear, LSTM } from '../../src/index.ts';
import { loadOnnx } from '../../src/onnx.ts';
import { parseSafetensors, serializeSafetensors } from '../../src/safetensors.ts';
import { COMMAND, call, fixture, refuse, succeed, temporaryFolder } from '../support/cli.ts';

// `run` on inputs and outputs of every format, against the library called directly and answers from elsewhere.

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const random = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.fround(Math.sin(i * i + 1)));

/** An array as NumPy writes it: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
function npy(descr: string, dims: readonly number[], data: Uint8Array, fortran = false): Uint8Array {
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${dims.join(', ')},), }\n`;
  const start = Buffer.from('\x93NUMPY\x01\0..', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, Buffer.from(header), data]);
}

const lstm = new LSTM(3, 4, { numLayers: 2, seed: 1 });
const head = new Linear(4, 2, { seed: 2 });
writeFileSync(at('bare.safetensors'), serializeSafetensors(lstm.stateDict()));
writeFileSync(
  at('model.safetensors'),
  serializeSafetensors(new Map([...lstm.stateDict('lstm.'), ...head.stateDict('fc.')])),
);
const x = { data: random(15), dims: [5, 3] };
const wanted = lstm.forward(x);
const rows = Array.from({ length: 5 }, (_, t) => [...x.data.subarray(3 * t, 3 * t + 3)]);

/** The numbers that a run prints as csv. */
function numbers(args: readonly string[], options?: Parameters<typeof call>[1]): Float32Array {
  const text = succeed(['run', ...args, '--output', '-'], options);
  return Float32Array.from(text.trim().split(/[\n,]/), Number);
}

describe('inputs', () => {
  const doubles = Float64Array.from(x.data);
  const columns = Float64Array.from({ length: 15 }, (_, i) => x.data[(i % 5) * 3 + Math.floor(i / 5)]!);
  const big = new DataView(new ArrayBuffer(120));
  for (const [i, value] of doubles.entries()) big.setFloat64(8 * i, value);
  test.each<[string, string | Uint8Array]>([
    ['npy <f4', npy('<f4', [5, 3], new Uint8Array(x.data.buffer))],
    ['npy <f8', npy('<f8', [5, 3], new Uint8Array(doubles.buffer))],
    ['npy >f8', npy('>f8', [5, 3], new Uint8Array(big.buffer))],
    ['npy <f8 by columns', npy('<f8', [5, 3], new Uint8Array(columns.buffer), true)],
    ['csv', rows.map((row) => row.join(',')).join('\n')],
    [
      'csv with a header, semicolons and Windows lines',
      `a;b;"c"\r\n${rows.map((row) => row.join('; ')).join('\r\n')}\r\n`,
    ],
    [
      'spaces, as numpy.savetxt writes',
      rows.map((row) => row.map((value) => value.toExponential(18)).join(' ')).join('\n'),
    ],
    ['nested lists', JSON.stringify(rows)],
    ['an object by the name of the input', JSON.stringify({ input: rows })],
    ['data and dims', JSON.stringify({ data: [...x.data], dims: [5, 3] })],
  ])('%s gives the bits of LSTM.forward', (_, content) => {
    expect(numbers([at('bare.safetensors'), '--input', '-'], { input: content })).toEqual(wanted.output.data);
  });

  test('three axes are steps, samples and features', () => {
    const input = { data: random(30), dims: [5, 2, 3] };
    const file = npy('<f4', input.dims, new Uint8Array(input.data.buffer));
    expect(numbers([at('bare.safetensors'), '-i', '-'], { input: file })).toEqual(lstm.forward(input).output.data);
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['an empty file', '', /it is empty/],
    ['words', 'a,b,c\n1,2,x\n', /csv: line 2, column 3: expected a number, got "x"/],
    ['rows of other lengths', '1,2,3\n1,2\n', /csv: line 2: expected 3 numbers, as the first row has, got 2/],
    ['a decimal comma', '1,5;2,5;3\n', /csv: line 1, column 1: expected a number, got "1,5"/],
    ['a decimal comma beside tabs', '1\t2\t3,5\n', /csv: line 1, column 3: expected a number, got "3,5"/],
    ['other features', '1,2\n', /the LSTM takes \[steps, 3\] or \[steps, samples, 3\], the input is \[1, 2\]/],
    ['another name', '{"x": [[1, 2, 3]]}', /the model has no input "x": the input "input" float32 \[steps, 3\]/],
    ['ragged lists', '[[1, 2, 3], [1]]', /json: the value has lists of 3 and of 1/],
    ['a list for a number', '[[1, 2, [3]]]', /json: the value has/],
    ['text in JSON', '[["\\u001b[31m"]]', /has "\\u001b\[31m" where a number or a list has to be/],
    ['deep lists', '['.repeat(100_000), /json: /],
    ['a short array', npy('<f4', [5, 3], new Uint8Array(59)), /npy: expected 60 bytes of numbers for \[5, 3\], got 59/],
    ['a huge array', npy('<f8', [2 ** 31, 2 ** 31], new Uint8Array(8)), /npy: expected \d+ bytes/],
    ['an array of objects', npy('|O', [1], new Uint8Array(8)), /npy: expected numbers such as <f4 or <f8, got "\|O"/],
    ['half a header', '\u0093NUMPY', /expected .npy, .csv, .json or .wav|npy: |csv: /],
    ['something else', Uint8Array.of(0, 1, 2, 255), /expected .npy, .csv, .json or .wav, and it is none of them/],
  ])('%s is refused', (_, content, message) => {
    const isName = /another name/.test(_);
    refuse(['run', at('bare.safetensors'), '-i', '-', '-o', at('no.csv')], isName ? 2 : 1, message, { input: content });
    expect(readdirSync(folder)).not.toContain('no.csv');
  });
});

describe('outputs', () => {
  const csv = rows.map((row) => row.join(',')).join('\n');
  const run = (name: string, ...more: string[]) => {
    const text = succeed(['run', at('bare.safetensors'), '-i', '-', '-o', at(name), ...more], { input: csv });
    expect(text).toMatch(new RegExp(`^wrote .*${name}: `));
    return readFileSync(at(name));
  };

  test('npy', () => {
    const bytes = run('out.npy');
    const length = bytes.readUInt16LE(8);
    expect(bytes.toString('latin1', 1, 10 + length)).toMatch(
      /^NUMPY.*'descr': '<f4', 'fortran_order': False, 'shape': \(5, 4\), } *\n$/s,
    );
    expect((10 + length) % 64).toBe(0);
    expect(new Float32Array(new Uint8Array(bytes.subarray(10 + length)).buffer)).toEqual(wanted.output.data);
  });

  test('json has all outputs', () => {
    const { output, hn, cn, ...rest } = JSON.parse(String(run('out.json')));
    expect(rest).toEqual({});
    expect(Float32Array.from(output.flat())).toEqual(wanted.output.data);
    expect([hn.length, cn[0].length]).toEqual([2, 4]);
    expect(Float32Array.from(cn.flat())).toEqual(wanted.cn.data);
  });

  test('--pick, and --format whatever the ending', () => {
    const picked = run('hn.data', '--pick', 'hn', '--format', 'csv');
    expect(Float32Array.from(String(picked).trim().split(/[\n,]/), Number)).toEqual(wanted.hn.data);
    refuse(
      ['run', at('bare.safetensors'), '-i', '-', '--pick', 'x'],
      2,
      /--pick expects an output, of output, hn, cn/,
      { input: csv },
    );
  });

  test('a table, and a plot that fits the terminal', () => {
    const table = succeed(['run', at('bare.safetensors'), '-i', '-'], { input: csv });
    expect(table).toMatch(/^output +shape +least +most +first\noutput +\[5, 4\] /);
    const plot = succeed(['run', at('bare.safetensors'), '-i', '-', '--plot'], { input: csv, env: { COLUMNS: '60' } });
    expect(plot).toContain('┤');
    for (const line of plot.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });
});

describe('a state dict with more than an LSTM', () => {
  const csv = rows.map((row) => row.join(',')).join('\n');
  const whole = head.forward(wanted.output).data;

  test('runs the one head that fits, or what is named', () => {
    const path = at('model.safetensors');
    expect(numbers([path, '-i', '-'], { input: csv })).toEqual(whole);
    expect(numbers([path, '-i', '-', '--head', 'fc'], { input: csv })).toEqual(whole);
    expect(numbers([path, '-i', '-', '--head', 'none'], { input: csv })).toEqual(wanted.output.data);
    expect(numbers([path, '-i', '-', '--lstm', 'lstm'], { input: csv })).toEqual(wanted.output.data);
    const small = numbers([path, '-i', '-', '--int8'], { input: csv });
    expect(small).toEqual(head.quantize().forward(lstm.quantize().forward(x).output).data);
  });

  test('asks where it would be a guess', () => {
    const two = new Map([...lstm.stateDict('a.'), ...lstm.stateDict('b.')]);
    writeFileSync(at('two.safetensors'), serializeSafetensors(two));
    refuse(['run', at('two.safetensors'), '-i', '-'], 1, /has 2 LSTMs.* choose one with --lstm: "a", "b"/, {
      input: csv,
    });
    refuse(['run', at('two.safetensors'), '-i', '-', '--lstm', 'c'], 1, /no LSTM is named "c"/, { input: csv });
    const heads = new Map([...lstm.stateDict('l.'), ...head.stateDict('p.'), ...head.stateDict('q.')]);
    writeFileSync(at('heads.safetensors'), serializeSafetensors(heads));
    refuse(['run', at('heads.safetensors'), '-i', '-'], 1, /choose with --head NAME,NAME of "p", "q"/, { input: csv });
    const odd = new Map([...lstm.stateDict('l.'), ['conv.weight', { data: random(6), dims: [1, 2, 3] }] as const]);
    writeFileSync(at('odd.safetensors'), serializeSafetensors(odd));
    refuse(['run', at('odd.safetensors'), '-i', '-'], 1, /has other tensors beside its LSTM, such as "conv\.weight"/, {
      input: csv,
    });
  });
});

describe('ONNX and Keras', () => {
  test('inputs by name, filled ones, and without the axis of samples', () => {
    const path = fixture('onnx-ort/torch_tagger_2l_bi.onnx');
    const session = loadOnnx(readFileSync(path));
    const input = random(70);
    const { logits } = session.run({ x: { data: input, dims: [1, 7, 10] } });
    const csv = Array.from({ length: 7 }, (_, t) => [...input.subarray(10 * t, 10 * t + 10)].join(',')).join('\n');
    writeFileSync(at('x.csv'), csv);
    expect(numbers([path, '-i', at('x.csv')])).toEqual(logits!.data);
    expect(numbers([path, '-i', `x=${at('x.csv')}`])).toEqual(logits!.data);
    const stream = fixture('onnx-ort/torch_stream_3l.onnx');
    const own = loadOnnx(readFileSync(stream));
    const [first, ...states] = own.inputs;
    const dims = first!.dims as number[];
    const values = random(dims.reduce((a, b) => a * b));
    const options = { input: npy('<f4', dims, new Uint8Array(values.buffer)) };
    refuse(
      ['run', stream, '-i', '-'],
      1,
      new RegExp(`"${states[0]!.name}" float32 .* not given: --input NAME=FILE`),
      options,
    );
    const feeds = states.map(({ name, dims: sizes }) => {
      const count = (sizes as number[]).reduce((a, b) => a * b);
      return [name, { data: new Float32Array(count).fill(0.25), dims: sizes as number[] }] as const;
    });
    const results = own.run(new Map([[first!.name, { data: values, dims }], ...feeds]));
    const sets = states.flatMap(({ name }) => ['--set', `${name}=0.25`]);
    expect(numbers([stream, '-i', '-', ...sets], options)).toEqual(results[own.outputs[0]!.name]!.data);
  });

  test('Keras takes a sample as a csv', () => {
    const found = numbers([fixture('keras/field/windows/windows.keras'), '-i', '-'], { input: '1,2\n3,4\n5,6\n7,8\n' });
    expect(found).toHaveLength(2);
    refuse(['run', fixture('keras/model.h5'), '-i', '-'], 1, /expected \[\?, 4, 2\]|model\.h5/, { input: '1,2,3\n' });
  });
});

describe('sound', () => {
  const amp = fixture('audio/lstm_1d.json');
  const model = loadRTNeural(readFileSync(amp, 'utf8'));
  const samples = random(3000);
  const play = (input: Float32Array) => {
    const output = new Float32Array(input.length);
    model.reset();
    model.process(input, output);
    return output;
  };

  test("RTNeural's own answer", () => {
    const found = numbers([amp, '-i', fixture('audio/lstm_1d_x_python.csv')]);
    const expected = readFileSync(fixture('audio/lstm_1d_y_python.csv'), 'utf8').trim().split(/\s+/).map(Number);
    expect(found).toHaveLength(expected.length);
    expect(Math.max(...expected.map((value, i) => Math.abs(value - found[i]!)))).toBeLessThan(1e-6);
  });

  test.each([
    ['8', (v: number) => Math.round(v * 127) + 128, (v: number) => (v - 128) / 128],
    ['16', (v: number) => Math.round(v * 32_767), (v: number) => v / 2 ** 15],
    ['24', (v: number) => Math.round(v * 8_388_607), (v: number) => v / 2 ** 23],
    ['32', (v: number) => Math.round(v * 2_147_483_647), (v: number) => v / 2 ** 31],
    ['32f', (v: number) => v, (v: number) => v],
    ['64', (v: number) => v, (v: number) => v],
  ])('WAV of %s bits, as wavefile writes it', (bits, encode, decode) => {
    const integers = [...samples].map(encode);
    const wav = new wavefile.WaveFile();
    wav.fromScratch(1, 44_100, bits, integers);
    writeFileSync(at('in.wav'), wav.toBuffer());
    succeed(['run', amp, '-i', at('in.wav'), '-o', at('out.wav')]);
    const written = new wavefile.WaveFile(readFileSync(at('out.wav')));
    expect((written.fmt as any).sampleRate).toBe(44_100);
    const stored = Float32Array.from(integers, decode);
    expect(Float32Array.from(written.getSamples(false) as any)).toEqual(play(stored));
  });

  test('each channel is played alone, and a file that is cut off to its end', () => {
    const wav = new wavefile.WaveFile();
    wav.fromScratch(2, 48_000, '32f', [samples.slice(0, 1000), samples.slice(1000, 2000)]);
    const bytes = Buffer.from(wav.toBuffer());
    writeFileSync(at('two.wav'), bytes);
    succeed(['run', amp, '-i', at('two.wav'), '-o', at('out.wav')]);
    const [left, right] = new wavefile.WaveFile(readFileSync(at('out.wav'))).getSamples(false) as any;
    expect(Float32Array.from(left)).toEqual(play(samples.slice(0, 1000)));
    expect(Float32Array.from(right)).toEqual(play(samples.slice(1000, 2000)));
    expect(numbers([amp, '-i', '-'], { input: bytes.subarray(0, bytes.length - 800) })).toHaveLength(1800);
  });

  test('a sample rate that differs is a warning', () => {
    const nam = fixture('../../examples/guitar-amp/data/nam/lstm.nam');
    const wav = new wavefile.WaveFile();
    wav.fromScratch(1, 44_100, '32f', samples);
    const { status, stderr } = call(['run', nam, '-i', '-', '-o', at('out.wav')], { input: wav.toBuffer() });
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringMatching(
        /^lstm-wasm: warning: the model was trained at 48,000 Hz, the file has 44,100: .*\n$/,
      ),
    });
  });

  test.each<[string, (bytes: Buffer) => void, RegExp]>([
    [
      'bits = 0',
      (bytes) => bytes.writeUInt16LE(0, 34),
      /wav: expected integers of 8, 16, 24 or 32 bits.*got format 3 of 0 bits/,
    ],
    ['no channels', (bytes) => bytes.writeUInt16LE(0, 22), /wav: it has 0 channels/],
    ['another codec', (bytes) => bytes.writeUInt16LE(85, 20), /got format 85/],
    ['a chunk of 4 GB', (bytes) => bytes.writeUInt32LE(0xfffffff0, 16), /wav: its "fmt " chunk says 4294967280 bytes/],
    ['no data', (bytes) => bytes.write('daat', bytes.indexOf('data'), 'latin1'), /wav: it has no "data" chunk/],
  ])('%s is refused', (_, change, message) => {
    const wav = new wavefile.WaveFile();
    wav.fromScratch(1, 44_100, '32f', samples.slice(0, 100));
    const bytes = Buffer.from(wav.toBuffer());
    change(bytes);
    refuse(['run', amp, '-i', '-'], 1, message, { input: bytes });
  });

  test.each<[string, number, number, RegExp]>([
    ['a rate', 1, 4_294_967_295, /out\.wav: wav: its sizes have 32 bits.* at 4294967295 Hz/],
    ['channels', 20_000, 48_000, /out\.wav: wav: a sound of floats has 1 to 16,383 channels, the output has 20000/],
  ])('%s that a WAV of floats cannot have is refused by name', (_, channels, rate, message) => {
    const bytes = Buffer.alloc(44 + 2 * channels);
    bytes.write('RIFF....WAVEfmt ', 'latin1');
    bytes.writeUInt32LE(16, 16);
    bytes.writeUInt16LE(1, 20);
    bytes.writeUInt16LE(channels, 22);
    bytes.writeUInt32LE(rate, 24);
    bytes.writeUInt16LE(16, 34);
    bytes.write('data', 36, 'latin1');
    bytes.writeUInt32LE(2 * channels, 40);
    refuse(['run', amp, '-i', '-', '-o', at('out.wav')], 1, message, { input: bytes });
  });

  test('knobs', () => {
    refuse(['run', amp, '-i', fixture('audio/lstm_1d_x_python.csv'), '--knob', '1'], 1, /has 0 knobs, given are 1/);
  });
});

test('a program that is stopped leaves no file', async () => {
  const long = random(6_000_000);
  writeFileSync(at('long.npy'), npy('<f4', [long.length], new Uint8Array(long.buffer)));
  const before = readdirSync(folder).sort();
  const child = spawn(process.execPath, [
    COMMAND,
    'run',
    fixture('audio/lstm_1d.json'),
    '-i',
    at('long.npy'),
    '-o',
    at('stopped.wav'),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 800));
  child.kill('SIGINT');
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('exit', (...how) => resolve(how));
  });
  // 130 where the signal came while the file was written
  expect(status === 130 || signal === 'SIGINT').toBe(true);
  expect(readdirSync(folder).sort()).toEqual(before);
});

test('an output that cannot be written leaves nothing, and one that is there is replaced whole', () => {
  const csv = rows.map((row) => row.join(',')).join('\n');
  refuse(['run', at('bare.safetensors'), '-i', '-', '-o', at('no/out.csv')], 1, /out\.csv: no such file/, {
    input: csv,
  });
  writeFileSync(at('old.csv'), 'x'.repeat(10_000));
  succeed(['run', at('bare.safetensors'), '-i', '-', '-o', at('old.csv')], { input: csv });
  expect(readFileSync(at('old.csv'), 'utf8').split('\n')).toHaveLength(6);
  expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
  expect(parseSafetensors(readFileSync(at('bare.safetensors'))).size).toBe(8);
});

test('bench measures every LSTM in both forms, and the error between them', () => {
  const list = JSON.parse(succeed(['bench', at('model.safetensors'), '--steps', '20', '--json']));
  expect(list.map(({ name, weights }: any) => [name, weights])).toEqual([
    ['lstm', 'float32'],
    ['lstm', 'int8'],
  ]);
  for (const { step, sequence, bytes } of list)
    for (const value of [step, sequence, bytes]) expect(value).toBeGreaterThan(0);
  expect(list[0].error).toBeUndefined();
  expect(list[1].error).toBeGreaterThan(0);
  expect(list[1].error).toBeLessThan(0.02);
  const whole = succeed(['bench', fixture('audio/lstm_1d.json')]);
  expect(whole).toMatch(/^what +weights +a step, µs +100 steps, µs +a run, µs +error +memory\n/);
  expect(whole).toMatch(/^whole model +float32 +- +- +[\d.]+ +- +/m);
});
