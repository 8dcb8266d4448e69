// The package in the tools that people use: packs it, and for each app of test/bundlers/apps.mjs installs it with the tool into a folder outside of
// the repository, builds, runs, and compares the answer with that of dist/ in this Node.
// `npm run test:bundlers -- [--quick] [words of the names of apps]`. $BUNDLERS names the folder, which is kept; default: one in the system's for temporary files.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, extname, join } from 'node:path';
import { argv, env, execPath, exit, versions } from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright';
import { APPS } from '../test/bundlers/apps.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const base = env.BUNDLERS ?? join(tmpdir(), 'lstm-wasm-bundlers');
const shared = join(root, 'test/bundlers');
/** How long a server has for its answer and a page for its title, in ms. */
const PATIENCE = 60_000;
const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.css': 'text/css',
};
const CHROMIUM = [env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);

const clean = Object.fromEntries(Object.entries(env).filter(([name]) => !/^(npm_|CHROMIUM$|VITEST)/i.test(name)));
const quiet = {
  WRANGLER_SEND_METRICS: 'false',
  NEXT_TELEMETRY_DISABLED: '1',
  ASTRO_TELEMETRY_DISABLED: '1',
  CI: 'true',
};
const npm = env.npm_execpath?.endsWith('npm-cli.js') ? [execPath, env.npm_execpath] : ['npm'];

function pack() {
  rmSync(join(base, 'tarball'), { recursive: true, force: true });
  mkdirSync(join(base, 'tarball'), { recursive: true });
  const args = [...npm.slice(1), 'pack', '--ignore-scripts', '--silent', '--pack-destination', join(base, 'tarball')];
  execFileSync(npm[0], args, { cwd: root, env: clean, stdio: ['ignore', 'ignore', 'inherit'] });
  return join(base, 'tarball', readdirSync(join(base, 'tarball'))[0]);
}

/** Writes an app and installs what it needs. */
function install(name, { packages, files, manifest }, tarball) {
  const folder = join(base, name.replaceAll(/\W+/g, '-').toLowerCase());
  const modules = join(folder, 'node_modules');
  for (const entry of existsSync(folder) ? readdirSync(folder) : []) {
    if (!/^(node_modules|package(-lock)?\.json)$/.test(entry)) rmSync(join(folder, entry), { recursive: true });
  }
  mkdirSync(folder, { recursive: true });
  const own = { name: 'app', private: true, type: 'module', ...manifest };
  const wanted = JSON.stringify(packages);
  const mark = join(modules, '.wanted');
  if (!existsSync(mark) || readFileSync(mark, 'utf8') !== wanted) {
    rmSync(modules, { recursive: true, force: true });
    writeFileSync(join(folder, 'package.json'), JSON.stringify(own));
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'];
    run(folder, [...npm, ...args, tarball, ...packages]);
    writeFileSync(mark, wanted);
  }
  rmSync(join(modules, 'lstm-wasm'), { recursive: true, force: true });
  mkdirSync(join(modules, 'lstm-wasm'), { recursive: true });
  run(folder, ['tar', '-xzf', tarball, '--strip-components', '1', '-C', join(modules, 'lstm-wasm')]);
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...own, dependencies }));
  const clip = [...readFileSync(join(root, 'test/fixtures/onnx-ort/clip.onnx'))];
  writeFileSync(join(folder, 'clip.mjs'), `export const CLIP = Uint8Array.from([${clip}]);\n`);
  cpSync(join(shared, 'answer.mjs'), join(folder, 'answer.mjs'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** The environment of a command: tools of the app before others, in this Node. */
function environment(folder) {
  const path = [join(folder, 'node_modules/.bin'), dirname(execPath), env.PATH].join(delimiter);
  return { ...clean, ...quiet, PATH: path };
}

function run(folder, [command, ...args]) {
  const options = { cwd: folder, env: environment(folder), encoding: 'utf8', maxBuffer: 1 << 26 };
  const { status, stdout, stderr, error } = spawnSync(command === 'node' ? execPath : command, args, options);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}:\n${error ?? ''}${stdout}${stderr}`);
  return stdout + stderr;
}

async function freePort() {
  const socket = createSocket().listen(0, '127.0.0.1');
  await new Promise((resolve) => socket.once('listening', resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  return port;
}

/** Starts a command that serves, and gives its address and what ends it with all its children. */
async function serve(folder, [command, ...args]) {
  const port = await freePort();
  const words = args.map((word) => word.replace('PORT', String(port)));
  const variables = { ...environment(folder), PORT: String(port), NITRO_PORT: String(port) };
  const options = { cwd: folder, env: variables, detached: true, stdio: ['ignore', 'pipe', 'pipe'] };
  const child = spawn(command === 'node' ? execPath : command, words, options);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (log += text));
  const stop = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {} // it has ended
  };
  const url = `http://127.0.0.1:${port}`;
  for (const end = Date.now() + PATIENCE; ; await wait(200)) {
    try {
      await fetch(url);
      return { url, stop, log: () => log };
    } catch (cause) {
      if (Date.now() < end && child.exitCode === null) continue;
      stop();
      throw new Error(`${command} ${words.join(' ')} does not serve:\n${log}`, { cause });
    }
  }
}

async function serveFiles(folder) {
  const server = createServer(({ url }, response) => {
    const path = join(folder, url === '/' ? 'index.html' : decodeURIComponent(new URL(url, 'http://x').pathname));
    if (!existsSync(path)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
    return response.end(readFileSync(path));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close(), log: () => '' };
}

let browser;

/** The title that a page takes, and its text. */
async function openPage(url) {
  if (!CHROMIUM) throw new Error('no Chromium found in the usual places or at $CHROMIUM');
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  try {
    await page.goto(url);
    for (const end = Date.now() + PATIENCE; ; await wait(100)) {
      const title = await page.title();
      if (title.startsWith('answer')) return title;
      if (Date.now() > end || problems.length > 0) throw new Error(`the page has no answer: ${problems.join('; ')}`);
    }
  } finally {
    await page.close();
  }
}

async function answerOf(name, app, tarball) {
  const folder = install(name, app, tarball);
  let output = '';
  for (const step of app.steps ?? []) output += run(folder, step);
  if (!app.server && !app.folder) return output;
  const { url, stop, log } = app.server ? await serve(folder, app.server) : await serveFiles(join(folder, app.folder));
  try {
    if (app.page) return await openPage(url);
    const response = await fetch(url + (app.path ?? '/'));
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${text}\n${log()}`);
    return text;
  } finally {
    stop();
  }
}

const words = argv.slice(2).filter((word) => !word.startsWith('--'));
const isChosen = (name) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase()));
const chosen = Object.entries(APPS).filter(
  ([name, { quick }]) => isChosen(name) && (quick || !argv.includes('--quick')),
);
const tarball = pack();
// the answer of this checkout, which has no bundler and no tarball
const plain = join(base, 'plain');
rmSync(plain, { recursive: true, force: true });
mkdirSync(join(plain, 'node_modules'), { recursive: true });
symlinkSync(root, join(plain, 'node_modules/lstm-wasm'), 'junction');
cpSync(join(shared, 'answer.mjs'), join(plain, 'answer.mjs'));
writeFileSync(
  join(plain, 'clip.mjs'),
  `export const CLIP = Uint8Array.from([${[...readFileSync(join(root, 'test/fixtures/onnx-ort/clip.onnx'))]}]);`,
);
const { answer } = await import(pathToFileURL(join(plain, 'answer.mjs')).href);
const expected = await answer();

const failed = [];
for (const [name, app] of chosen) {
  if (app.node && Number.parseInt(versions.node, 10) < app.node && !env.CI) {
    console.log(`${name.padEnd(32)} SKIPPED: needs Node ${app.node}`);
    continue;
  }
  try {
    const text = await answerOf(name, app, tarball);
    if (app.check) app.check(text);
    else if (!text.includes(expected))
      throw new Error(`expected ${expected}, got ${text.match(/answer .* end/)?.[0] ?? text}`);
    console.log(`${name.padEnd(32)} the same bits`);
  } catch (error) {
    failed.push(name);
    console.log(`${name.padEnd(32)} FAILED: ${error.message.trim()}`);
  }
}
await browser?.close();
console.log(
  failed.length
    ? `${failed.length} of ${chosen.length} failed: ${failed.join('; ')}`
    : `${chosen.length} passed or were skipped`,
);
exit(failed.length ? 1 : 0);
