// Do the tests notice a mistake? Makes wrong edits one by one in a scratch copy, builds, and runs the tests in Node, which
// must fail. Tests of the built package and of the programs that use it are left out: they are slow, and what only they
// notice lacks a test of its own.
import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

/** `from` stands exactly once in the file, and `to` must compile: the tests are to find the mistake, not the compiler. */
const MUTATIONS = [
  {
    what: 'gates f and g swapped',
    file: 'assembly/gates.ts',
    from: 'next_c(v128.load(z), v128.load(z, 16), v128.load(z, 32),',
    to: 'next_c(v128.load(z), v128.load(z, 32), v128.load(z, 16),',
  },
  {
    what: 'tail of a row stored as four lanes',
    file: 'assembly/lanes.ts',
    from: 'if (n === 3) v128.store_lane<f32>(p, v, 2, 8);',
    to: 'if (n === 3) v128.store(p, v);',
  },
  {
    what: 'activations not clamped',
    file: 'assembly/activations.ts',
    from: 'return f32x4.pmin(f32x4.pmax(y, low), high);',
    to: 'return y;',
  },
  {
    what: 'gemv reads one float past a row',
    file: 'assembly/gemv.ts',
    from: 'if (odd) {\n      const s = v128.load32_splat(p);',
    to: 'if (odd) {\n      const s = f32x4.splat(f32x4.extract_lane(v128.load64_zero(p), 0));',
  },
  {
    what: 'gemm drops the last of an odd number of inputs',
    file: 'assembly/gemm.ts',
    from: 'if (K & 1) {',
    to: 'if (K < 0) {',
  },
  {
    what: 'gemm adds in another order than gemv',
    file: 'assembly/gemm.ts',
    from: 'a0 = f32x4.add(a0, f32x4.add(f32x4.mul(ua, s), f32x4.mul(va, t)));',
    to: 'a0 = f32x4.add(f32x4.add(a0, f32x4.mul(ua, s)), f32x4.mul(va, t));',
  },
  {
    what: 'gemm takes a row beyond an odd number of rows',
    file: 'assembly/gemm.ts',
    from: 'for (let r = 1; r < rows; r += 2) {',
    to: 'for (let r = 0; r < rows; r += 2) {',
  },
  {
    what: 'gemm begins again from the first values in each block of depth',
    file: 'assembly/gemm.ts',
    from: '      from = z;\n',
    to: '',
  },
  {
    what: '8-bit sums may overflow',
    file: 'assembly/int8.ts',
    from: 'const DEPTH: i32 = 2048;',
    to: 'const DEPTH: i32 = 4096;',
  },
  {
    what: 'a row with NaN is quantised',
    file: 'assembly/int8.ts',
    from: 'const finite = bits < INFINITY_BITS;',
    to: 'const finite = bits !== 0;',
  },
  {
    what: 'scales of 8-bit weights lost in the state dict',
    file: 'src/memory/pack.ts',
    from: 'value * scale[Math.floor(i / K)]!',
    to: 'value * scale[Math.min(0, i, K)]!',
  },
  {
    what: 'reverse direction ignores where a sequence ends',
    file: 'assembly/layer.ts',
    from: '(reverse ? T - 1 - s : s)',
    to: 's',
  },
  {
    what: 'recurrence reads h before its projection',
    file: 'assembly/layer.ts',
    from: 'gemm(form, weights.hh, h, hStride,',
    to: 'gemm(form, weights.hh, P ? full : h, P ? cStride : hStride,',
  },
  {
    what: 'bias_hh dropped',
    file: 'src/nn/recurrent.ts',
    from: 'value + hh[i]!',
    to: 'value + 0 * hh[i]!',
  },
  {
    what: 'dropout after the last layer too',
    file: 'src/nn/sequence.ts',
    from: 'if (to < numLayers) dropout?.(',
    to: 'dropout?.(',
  },
  {
    what: 'batchFirst ignored in the output',
    file: 'src/nn/sequence.ts',
    from: 'sequence.output, width, rows, group, first, 1, stride);',
    to: 'sequence.output, width, rows, 1, row, 1, 1);',
  },
  {
    what: 'last states left in sorted order',
    file: 'src/nn/sequence.ts',
    from: 'moveState(false, h, sequence.hn, outputSize, stateRows, batch, order);',
    to: 'moveState(false, h, sequence.hn, outputSize, stateRows, batch, undefined);',
  },
  {
    what: 'output of a chunk over the input of the next',
    file: 'src/nn/sequence.ts',
    from: 'if (chunkSteps < steps && sequence.input.buffer',
    to: 'if (chunkSteps < 0 && sequence.input.buffer',
  },
  {
    what: 'shape of h0 not checked',
    file: 'src/nn/recurrent.ts',
    from: "checkShape(this.who, 'h0', checkState(this.who, given).h0, h)",
    to: "checkShape(this.who, 'h0', checkState(this.who, given).h0, h && given.h0.dims)",
  },
  {
    what: 'unexpected keys accepted',
    file: 'src/nn/state-dict.ts',
    from: 'for (const path of unexpectedKeys)',
    to: 'for (const path of [] as string[])',
  },
  {
    what: 'streams of a model share their state',
    file: 'src/nn/stream.ts',
    from: 'this.#h = this.#odd + 4 * outputSize;',
    to: `const shared = model as Recurrent & { h?: number };
    shared.h ??= this.#odd + 4 * outputSize;
    this.#h = shared.h;`,
  },
  {
    what: 'views of a stream kept after memory has grown',
    file: 'src/nn/stream.ts',
    from: 'return view.buffer === buffer ? view : new Float32Array(buffer, pointer, length);',
    to: `if (Object.hasOwn(view, 'kept')) return view;
    return Object.assign(new Float32Array(buffer, pointer, length), { kept: true });`,
  },
  {
    what: 'many streams: a repeated id not refused',
    file: 'src/nn/streams.ts',
    from: 'if (row < k && slotOf[row] === slot) throw',
    to: 'if (row < 0 && slotOf[row] === slot) throw',
  },
  {
    what: 'many streams: an id given out again',
    file: 'src/nn/streams.ts',
    from: 'this.#slots.delete(id);',
    to: 'this.#slots.delete(id);\n    this.nextId = id;',
  },
  {
    what: 'many streams: later chunks step the streams of the first',
    file: 'src/nn/streams.ts',
    from: 'this.#slotOf[first + r]!',
    to: 'this.#slotOf[r]!',
  },
  {
    what: 'many streams: c of all layers from the first',
    file: 'assembly/layer.ts',
    from: 'offset += (<usize>floats) << 2;',
    to: '',
  },
  {
    what: 'many streams: a new stream goes on from a closed one',
    file: 'src/nn/streams.ts',
    from: 'this.#clear(slot);\n    this.#slots.set',
    to: 'this.#slots.set',
  },
  {
    what: 'many streams: deleting an id loses others',
    file: 'src/nn/id-table.ts',
    from: 'ids[hole] = ids[entry]!;',
    to: 'if (entry >= 0) continue;\n      ids[hole] = ids[entry]!;',
  },
  {
    what: 'checksum of a saved state not checked',
    file: 'src/nn/saved-state.ts',
    from: "check('damaged', 'checksum', crc32(copy.subarray(0, -4)), words[words.length - 1]!);",
    to: '',
  },
  {
    what: 'released memory never used again',
    file: 'src/memory/arena.ts',
    from: 'insert({ start, bytes });',
    to: 'void start;',
  },
  {
    what: 'holes in a safetensors file accepted',
    file: 'src/safetensors/header.ts',
    from: 'if (begin !== reached) {',
    to: 'if (begin < reached) {',
  },
  {
    what: 'strides of a checkpoint taken for rows one after the other',
    file: 'src/pytorch/tensors.ts',
    from: 'if (run >= size) return storage.slice(begin, begin + size);',
    to: 'if (run >= 0) return storage.slice(begin, begin + size);',
  },
  {
    what: 'a heap of HDF5 looked up one block too early',
    file: 'src/keras/hdf5/heap.ts',
    from: 'if (this.#blocks[middle]!.start <= offset) low = middle;',
    to: 'if (this.#blocks[middle]!.start < offset - 64) low = middle;',
  },
  {
    what: 'Keras 3 given the mask of an input beside an initial state',
    file: 'src/keras/lstm-config.ts',
    from: 'masksWithState: !dialect.keras3,',
    to: 'masksWithState: true,',
  },
  {
    what: 'weights of a .keras file in the order in which layers run',
    file: 'src/keras/topology.ts',
    from: 'counts.set(className, position + 1);',
    to: 'counts.set(className, position);',
  },
  {
    what: 'a repeated key of a safetensors file not seen if it is escaped',
    file: 'src/safetensors/keys.ts',
    from: 'return this.#cursor.stringAt(a) === this.#cursor.stringAt(b);',
    to: 'return false;',
  },
  {
    what: 'Keras: an output that names no layer',
    file: 'src/keras/topology.ts',
    from: "if (!name) field.refuse('wrong-value', 'the name of a layer and numbers', 'none');",
    to: 'if (!name) return { name: field.path, index: 0 };',
  },
  {
    what: 'ort: a scalar keeps the dims it is fed with',
    file: 'src/ort/session.ts',
    from: 'all.set(name, { data: feed.data, dims: [], type: feed.type });',
    to: 'all.set(name, { data: feed.data, dims: feed.dims, type: feed.type });',
  },
  {
    what: 'ort: tensors are written into before all are checked',
    file: 'src/ort/session.ts',
    from: 'if (tensor) checkFetch(name, tensor, results[name]!);',
    to: 'if (tensor) checkFetch(name, toTensor(results[name]!, tensor), results[name]!);',
  },
  {
    what: 'ort: the byte offset of a model is ignored',
    file: 'src/ort/session.ts',
    from: 'new Uint8Array(buffer, offset, ',
    to: 'new Uint8Array(buffer, offset * 0, ',
  },
  {
    what: 'ort: typed arrays are copied',
    file: 'src/ort/tensor.ts',
    from: 'return data as unknown as Tensor.DataType;',
    to: 'return (data as unknown as Float32Array).slice();',
  },
  {
    what: 'a depthwise convolution ignores its stride',
    file: 'src/onnx/products.ts',
    from: 'for (let k = 0, i = p * stride - before; k < kernel; k++, i += dilation) {\n          sum +=',
    to: 'for (let k = 0, i = p - before; k < kernel; k++, i += dilation) {\n          sum +=',
  },
  {
    what: 'an initializer of a branch may not hide one outside',
    file: 'src/onnx/graph.ts',
    from: 'hides ? this._entries.has(name) : this.find(name)',
    to: 'this.find(name) || (hides && this._entries.has(name))',
  },
  {
    what: 'a padding begins with what was cut off',
    file: 'src/onnx/pad.ts',
    from: '(o * size + cut + from) * inner',
    to: '(o * size + from) * inner',
  },
  {
    what: 'float16 has a bit more',
    file: 'src/onnx/cast.ts',
    from: '[FLOAT16, [11,',
    to: '[FLOAT16, [12,',
  },
  {
    what: 'an infinity passes a Clip without a bound',
    file: 'src/onnx/elementwise.ts',
    from: 'const MAX_FLOAT = (2 - 2 ** -23) * 2 ** 127;',
    to: 'const MAX_FLOAT = Infinity;',
  },
];

const USAGE = `usage: node scripts/mutate.mjs [text ...]

Makes wrong edits one by one in a scratch copy, builds, runs the tests in Node, and exits with 1 if they pass.
With texts only the edits whose description or file contains one of them are made.`;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop.abort());

/** Ends the program with a message. */
function fail(message) {
  console.error(message);
  process.exit(1);
}

/** Runs Node or git in `cwd`; never rejects. An interrupt ends it, and then this program. */
async function run(cwd, command, ...args) {
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 1 << 28, signal: stop.signal });
    return { ok: true, text: stdout };
  } catch (error) {
    if (stop.signal.aborted) process.exit(1);
    return { ok: false, text: `${error.stdout}${error.stderr || error.message}` };
  }
}

/** A copy of the files that git tracks, as they are now, with the same packages but caches of its own; gone at the end. */
async function copy() {
  const listed = await run(root, 'git', 'ls-files', '-z');
  if (!listed.ok) fail(listed.text);
  const folder = fs.mkdtempSync(join(tmpdir(), 'lstm-wasm-mutate-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  for (const file of listed.text.split('\0')) {
    if (file && fs.existsSync(join(root, file))) fs.cpSync(join(root, file), join(folder, file));
  }
  fs.mkdirSync(join(folder, 'node_modules'));
  for (const name of fs.readdirSync(join(root, 'node_modules'))) {
    const path = join('node_modules', name);
    if (!name.startsWith('.')) fs.symlinkSync(join(root, path), join(folder, path), 'junction');
  }
  return folder;
}

/** The first test that fails, undefined if none does. */
async function failingTest(folder, isWanted = () => true) {
  const files = fs
    .readdirSync(join(folder, 'test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts') && !/^(examples|package|readme)\./.test(name) && isWanted(name));
  const report = join(folder, 'build', 'tests.json');
  fs.rmSync(report, { force: true });
  const options = ['--project', 'node', '--bail', '1', '--reporter', 'json', '--outputFile', report];
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
  const { ok, text } = await run(folder, process.execPath, vitest, 'run', ...options, ...files.map((f) => `test/${f}`));
  if (ok) return undefined;
  const results = fs.existsSync(report) ? JSON.parse(fs.readFileSync(report, 'utf8')).testResults : [];
  for (const { name, assertionResults } of results) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed) return { name: `${basename(name)}: ${failed.fullName}`, text: failed.failureMessages.join('\n') };
  }
  const broken = results.find(({ status }) => status === 'failed');
  return { name: broken ? basename(broken.name) : 'an error outside of all tests', text: broken?.message || text };
}

/** Which tests are likely to notice a mistake in `file`, and run first: those of its format, or those of none. */
function nearTests(file) {
  const format = file.match(/^src\/(\w+?)(-|\/|\.)/)?.[1];
  const formats = ['audio', 'keras', 'onnx', 'ort', 'pytorch', 'safetensors'];
  if (formats.includes(format)) return (name) => name.startsWith(format);
  const far = new RegExp(`^(${formats.join('|')}|hdf5|vad|silero|fuzz|hostile|limits)`);
  return (name) => !far.test(name);
}

/** What becomes of one mutation: whether the tests noticed, and a line that says so. */
async function judge(folder, { file, from, to }) {
  const path = join(folder, file);
  const source = fs.readFileSync(path, 'utf8');
  fs.writeFileSync(
    path,
    source.replace(from, () => to),
  );
  try {
    const built = await run(folder, process.execPath, 'scripts/build.mjs');
    if (!built.ok) return { good: false, text: `DOES NOT BUILD\n${built.text}` };
    const isNear = nearTests(file);
    const test = (await failingTest(folder, isNear)) ?? (await failingTest(folder, (name) => !isNear(name)));
    return test ? { good: true, text: `killed by ${test.name}` } : { good: false, text: 'SURVIVED' };
  } finally {
    fs.writeFileSync(path, source);
  }
}

async function main() {
  const { values, positionals } = parseArgs({ options: { help: { type: 'boolean' } }, allowPositionals: true });
  if (values.help) return console.log(USAGE);
  const wanted = positionals.length ? positionals : [''];
  const chosen = MUTATIONS.filter(({ what, file }) =>
    wanted.some((text) => what.includes(text) || file.includes(text)),
  );
  if (chosen.length === 0) fail(`no mutation contains ${wanted.join(' or ')}`);

  const folder = await copy();
  for (const { what, file, from } of MUTATIONS) {
    const path = join(folder, file);
    const count = fs.existsSync(path) ? fs.readFileSync(path, 'utf8').split(from).length - 1 : 0;
    if (count !== 1) fail(`stale mutation "${what}": ${file} has its source ${count} times, expected once:\n${from}`);
  }
  const built = await run(folder, process.execPath, 'scripts/build.mjs');
  if (!built.ok) fail(`without a mutation the build fails:\n${built.text}`);
  const failing = await failingTest(folder);
  if (failing) fail(`without a mutation the tests fail: ${failing.name}\n${failing.text}`);

  const width = Math.max(...chosen.map(({ what }) => what.length));
  let bad = 0;
  for (const mutation of chosen) {
    const start = performance.now();
    const { good, text } = await judge(folder, mutation);
    const seconds = Math.round((performance.now() - start) / 1000);
    console.log(`${mutation.what.padEnd(width)}  ${String(seconds).padStart(3)} s  ${text}`);
    if (!good) bad++;
  }
  console.log(
    bad
      ? `${bad} of ${chosen.length} mutations survived or do not build`
      : `all ${chosen.length} mutations were noticed`,
  );
  process.exitCode = bad ? 1 : 0;
}

await main();
