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
import { MUTATIONS } from './mutations.mjs';

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
    .filter(
      (name) =>
        name.endsWith('.test.ts') &&
        !/^(examples|examples-in-docs|mutations|package|readme)[./\\]/.test(name) &&
        isWanted(name),
    );
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
