// What --bench of the examples shares: speed beside onnxruntime in one run, time to the first answer, bytes that a page loads.
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { InputError, repository } from './program.mjs';

const ROUNDS = 15;
/** Milliseconds that each contestant runs at a time */
const TURN = 60;
const STARTS = 7;

/** onnxruntime-node and -web as benchmarks/peers installs them, or why they are not there. */
export async function openPeers() {
  const { loadNode, loadWeb } = await import(repository('benchmarks/peers/onnxruntime.mjs').href);
  const peers = {};
  for (const [name, load] of Object.entries({ 'onnxruntime-node': loadNode, 'onnxruntime-web': loadWeb })) {
    try {
      peers[name] = await load();
    } catch (error) {
      if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
      console.log(`${name} is not installed: (cd benchmarks/peers && npm ci --ignore-scripts)`);
    }
  }
  return peers;
}

/**
 * Times contestants in turn, many times, so that all of them meet the same machine.
 * @param {Record<string, () => void | Promise<void>>} contestants what one call does; the first one is ours
 * @param {string} unit what a call computes
 */
export async function compareSpeed(contestants, unit) {
  const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, call] of Object.entries(contestants)) {
      const time = await timeCalls(call);
      // the first round only warms up
      if (round > 0) times[name].push(time);
    }
  }
  const [own] = Object.keys(contestants);
  const ours = median(times[own]);
  console.log(
    `${unit}, microseconds: medians of ${ROUNDS} rounds in turn, ${cpus()[0].model.trim()}, Node ${process.versions.node}`,
  );
  for (const [name, list] of Object.entries(times)) {
    const ratio = median(list) / ours;
    console.log(
      `  ${name.padEnd(20)}${median(list).toFixed(1).padStart(8)}  ${name === own ? '' : `${ratio.toFixed(2)} x ours`}`,
    );
  }
}

async function timeCalls(call) {
  const start = performance.now();
  let calls = 0;
  do {
    for (let k = 0; k < 10; k++) {
      const promise = call();
      if (promise) await promise;
    }
    calls += 10;
  } while (performance.now() - start < TURN);
  return (1000 * (performance.now() - start)) / calls;
}

/**
 * Milliseconds from the start of a process to its first answer, the median of some.
 * @param {string} code a module that ends with the first answer
 */
export function startTime(code) {
  const script = `${code}\nconsole.log(performance.now());`;
  const times = Array.from({ length: STARTS }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: fileURLToPath(repository('.')),
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    return Number(stdout.trim().split('\n').at(-1));
  });
  return median(times);
}

/**
 * Bytes with gzip -9 of the code that a page loads, wasm included: bundled and minified by esbuild.
 * @param {string} entry the text of a module in the folder `folder`
 * @param {string} folder
 */
export async function codeBytes(entry, folder) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: folder },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return gzipBytes(outputFiles[0].contents);
}

export const gzipBytes = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** @param {string} name @param {number} code @param {number} weights bytes @param {number} allowed */
export function printBytes(name, code, weights, allowed) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(3);
  const total = code + weights;
  console.log(
    `  ${name.padEnd(20)}${megabytes(total).padStart(8)}  code ${megabytes(code)}, weights ${megabytes(weights)}`,
  );
  if (total > allowed) throw new InputError(`${name}: a page loads ${total} bytes, more than ${allowed}`);
}

function median(list) {
  return list.toSorted((a, b) => a - b)[list.length >> 1];
}
