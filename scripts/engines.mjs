// Installs the engines that test/engines/ runs in, from npm into .engines/: some 700 MB, with no install scripts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { arch, exit, platform } from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../.engines', import.meta.url));
const node = (name, version, machine = `${platform}-${arch}`) => `${name}@npm:node-${machine}@${version}`;
const packages = [node('node22', 22), node('node24', 24), node('node26', 26), 'deno@2', 'bun@1'];
// run by qemu's emulation
if (platform === 'linux' && arch === 'x64') packages.push(node('node-arm64', 24, 'linux-arm64'));

mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
// npm refuses another processor's binary without --force
const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--force', ...packages];
const { status } = spawnSync('npm', args, { stdio: 'inherit', shell: platform === 'win32' });
exit(status ?? 1);
