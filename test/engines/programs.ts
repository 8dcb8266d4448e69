// Engines that run a program: found at a variable of the environment, on the PATH, or in .engines/, where `npm run engines` puts them.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from '../support/consumer.ts';

export interface Program {
  readonly name: string;
  /** The command and its first arguments; undefined if it is missing. */
  readonly command: readonly string[] | undefined;
  /** What to do where it is missing. */
  readonly advice: string;
  /** The cases that it runs; all of them if left out. */
  readonly cases?: readonly string[];
}

const ENGINES = join(root, '.engines/node_modules');

function find(variable: string, name: string, ...paths: string[]): string | undefined {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return [process.env[variable], ...paths.map((path) => join(ENGINES, path)), ...onPath].find(
    (path) => path && existsSync(path),
  );
}

function program(name: string, variable: string, path: string | undefined, ...args: string[]): Program {
  const advice = `set ${variable} to its path, or \`npm run engines\``;
  return { name, command: path === undefined ? undefined : [path, ...args], advice };
}

const node = (major: number) =>
  program(`Node ${major}`, `NODE${major}`, find(`NODE${major}`, `node${major}`, `node${major}/bin/node`));

/** AArch64 by emulation, which is a hundred times slower: the cases of products, gates and states. */
function aarch64(): Program {
  const emulator = find('QEMU', 'qemu-aarch64-static');
  const binary = find('NODE_ARM64', 'node-arm64', 'node-arm64/bin/node');
  const command = emulator && binary ? [emulator, '-L', '/usr/aarch64-linux-gnu', binary] : undefined;
  const advice = 'install qemu-user-static, libc6-arm64-cross and libstdc++6-arm64-cross, then `npm run engines`';
  return {
    name: 'Node 24 on AArch64',
    command,
    advice,
    cases: ['torch', 'streams', 'packed', 'onnx', 'keras', 'audio'],
  };
}

export const PROGRAMS: readonly Program[] = [
  { name: `Node ${process.versions.node}, which runs the tests`, command: [process.execPath], advice: '' },
  node(22),
  node(24),
  node(26),
  program('Deno', 'DENO', find('DENO', 'deno', '@deno/linux-x64-glibc/deno'), 'run', '--no-prompt'),
  program('Bun', 'BUN', find('BUN', 'bun', '@oven/bun-linux-x64/bin/bun'), 'run'),
  aarch64(),
];

/** Runs a script in the folder of `file`, and gives the JSON that it prints. */
export function runProgram({ name, command }: Program, file: string): unknown {
  const [path, ...args] = [...command!, file];
  const { status, stdout, stderr, error } = spawnSync(path!, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${name} exited with ${status}: ${error ?? stderr.slice(-2000)}`);
  return JSON.parse(stdout);
}
