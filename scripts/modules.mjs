// assembly/ -> build/modules/*.wasm: the modules, and the constants that src/ shares with them. Compiled only if a source, an
// option or a compiler has changed since.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import asc from 'assemblyscript/asc';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);

// -Os, or -O3 without its passes local-cse or inlining-optimizing, saves 80 to 170 bytes gzipped, but steps of a stream take 5 to
// 30 % longer and products of 8-bit weights up to 7 times as long. asc's shrinkLevel 2 in asconfig.json saves 130 bytes and no time is lost: it
// only prepares what wasm-opt inlines. With 1 the gates are no longer packed into 256 bits.
const OPTIONS = ['-O3', '--converge', '--enable-bulk-memory'];
const MODULES = [
  { name: 'lstm', target: 'lstm', entry: 'assembly/index.ts', features: ['--enable-simd'] },
  {
    name: 'lstm-int8',
    target: 'int8',
    entry: 'assembly/relaxed/index.ts',
    features: ['--enable-simd', '--enable-relaxed-simd'],
  },
  { name: 'lstm-gru', target: 'gru', entry: 'assembly/gru/index.ts', features: ['--enable-simd'] },
  {
    name: 'lstm-onnx',
    target: 'onnx',
    entry: 'assembly/onnx/index.ts',
    features: ['--enable-simd', '--enable-nontrapping-float-to-int'],
  },
];
export const MODULE_NAMES = MODULES.map(({ name }) => name);

/** Written here: a hash of the others. */
const GENERATED = 'abi.ts';

/** Runs a command of an installed package with this Node, whatever the shell's PATH holds. */
export function run(packageName, command, ...args) {
  const { bin } = manifestOf(packageName);
  const script = join(folderOf(packageName), typeof bin === 'string' ? bin : bin[command]);
  return promisify(execFile)(process.execPath, [script, ...args], { cwd: root }).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`, { cause: error });
  });
}

function folderOf(packageName) {
  return dirname(require.resolve(`${packageName}/package.json`));
}

function manifestOf(packageName) {
  return JSON.parse(readFileSync(join(folderOf(packageName), 'package.json'), 'utf8'));
}

/**
 * Compiles what is not compiled yet.
 * @returns the folder of the modules, and the constants by name
 */
export async function compileModules() {
  const sources = hashOfSources();
  const abi = `/** A hash of assembly/, written by the build. */\nexport const ABI: i32 = ${sources.readInt32LE()};\n`;
  writeFileSync(join(root, 'assembly', GENERATED), abi);

  const tools = ['assemblyscript', 'binaryen'].map((name) => manifestOf(name).version);
  const options = [OPTIONS, MODULES, tools, readFileSync(join(root, 'asconfig.json'), 'utf8')];
  const hash = createHash('sha256').update(sources).update(JSON.stringify(options)).digest('hex');
  const folder = join(root, 'build/modules');
  const stamp = join(folder, 'hash');
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) {
    const made = join(root, 'build/new-modules');
    rmSync(made, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });
    const optimizing = [];
    for (const { name, target, entry, features } of MODULES) {
      await compile(entry, target);
      const output = ['-o', join(made, `${name}.wasm`)];
      optimizing.push(run('binaryen', 'wasm-opt', `build/${name}.asc.wasm`, ...OPTIONS, ...features, ...output));
    }
    await compile('assembly/constants.ts', 'constants');
    writeFileSync(join(made, 'constants.json'), JSON.stringify(readConstants()));
    await Promise.all(optimizing);
    writeFileSync(join(made, 'hash'), hash);
    rmSync(folder, { recursive: true, force: true });
    renameSync(made, folder);
  }
  return { folder, constants: JSON.parse(readFileSync(join(folder, 'constants.json'), 'utf8')) };
}

/** The signatures and layouts that src/ relies on change with any of the sources: their hash tells modules that do not belong together. */
function hashOfSources() {
  const hash = createHash('sha256');
  for (const name of readdirSync(join(root, 'assembly'), { recursive: true }).sort()) {
    if (!name.endsWith('.ts') || name === GENERATED) continue;
    const text = readFileSync(join(root, 'assembly', name), 'utf8').replaceAll('\r', '');
    hash.update(`${name.replaceAll('\\', '/')}\n${text}\n`);
  }
  return hash.digest();
}

/** In this process, since the compiler takes longer to start than to compile. */
async function compile(entry, target) {
  const { error, stderr } = await asc.main([entry, '--target', target, '--baseDir', root]);
  if (error) throw new Error(`asc: ${stderr}`, { cause: error });
}

function readConstants() {
  const env = { memory: new WebAssembly.Memory({ initial: 1 }) };
  const module = new WebAssembly.Module(readFileSync(join(root, 'build/constants.wasm')));
  const globals = Object.entries(new WebAssembly.Instance(module, { env }).exports).filter(
    ([, value]) => value instanceof WebAssembly.Global,
  );
  return Object.fromEntries(globals.map(([name, { value }]) => [name, value]));
}
