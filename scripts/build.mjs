// assembly/ -> build/lstm.asc.wasm -> dist/lstm.wasm -> src/embedded.ts -> dist/*.js, dist/*.d.ts
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

/** Runs a command of an installed package with this Node, whatever the shell's PATH holds. */
function run(packageName, command, ...args) {
  const manifest = require.resolve(`${packageName}/package.json`);
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  const script = join(dirname(manifest), typeof bin === 'string' ? bin : bin[command]);
  execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
}

rmSync(join(root, 'dist'), { recursive: true, force: true });
mkdirSync(join(root, 'dist'), { recursive: true });
run('assemblyscript', 'asc', '--target', 'release');
run(
  'binaryen',
  'wasm-opt',
  'build/lstm.asc.wasm',
  '-O3',
  '--enable-simd',
  '--enable-bulk-memory',
  '-o',
  'dist/lstm.wasm',
);

// Hexadecimal, not base64: longer, yet smaller once compressed, and decoded without atob, which AudioWorklets lack.
const hex = readFileSync(join(root, 'dist/lstm.wasm')).toString('hex');
writeFileSync(
  join(root, 'src/embedded.ts'),
  `/** lstm.wasm as hexadecimal text. */\nexport const embedded =\n  '${hex}';\n`,
);

run('typescript', 'tsc', '-p', '.');
