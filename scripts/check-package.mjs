// The package as `npm publish` would send it, held against the rules of publint and Are The Types Wrong.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

if (!existsSync(join(root, 'dist')))
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
mkdirSync(join(root, 'build'), { recursive: true });
const folder = mkdtempSync(join(root, 'build/pack-'));
try {
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const pack = [...npm.slice(1), 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  execFileSync(npm[0], pack, { cwd: root });
  const tarball = join(folder, readdirSync(folder)[0]);

  const { messages, pkg } = await publint({
    pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
    strict: true,
  });
  const found = messages.filter((message) => !isQuery(message));
  for (const message of found) console.error(`publint: ${formatMessage(message, pkg)}`);
  if (found.length > 0) process.exitCode = 1;

  const attw = createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json');
  const args = [join(dirname(attw), 'dist/index.js'), tarball, '--profile', 'esm-only', '--format', 'ascii'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`attw:\n${stdout}${stderr}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Bundlers of Vercel's edge functions hand the query of a .wasm to its loader; publint takes it for a part of a file's name. */
function isQuery({ code, path }) {
  return code === 'FILE_DOES_NOT_EXIST' && path[1].endsWith('.wasm?module') && path[2] === 'default';
}
