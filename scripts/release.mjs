// npm run release [-- --list | --from STEP]: everything that is asked of a version, one step after the other up to the first that fails,
// and a publication that sends nothing. The steps are npm's scripts; .github/workflows/release.yml calls it before it publishes.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv, env, execPath, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Mutants of each format that a release reads: some minutes. Every version begins at another one. */
const MUTANTS = 50_000;
const [major, minor, patch] = version.split('.').map(Number);
const firstMutant = MUTANTS * (10_000 * major + 100 * minor + patch);

/**
 * @typedef {{ readonly name: string, readonly what: string, readonly command: readonly string[] }} Step
 * @type {readonly Step[]}
 */
export const STEPS = [
  {
    name: 'clean',
    what: 'the checkout is what is committed',
    command: ['git', 'diff', '--stat', '--exit-code', 'HEAD'],
  },
  { name: 'links', what: 'links of all documents', command: ['npm', 'run', 'docs:links'] },
  { name: 'engines', what: 'installs Node 22, 24 and 26, Deno, Bun, AArch64', command: ['npm', 'run', 'engines'] },
  {
    name: 'test',
    what: 'lint, types, publint, attw; every test; hashes of all engines and browsers',
    command: ['npm', 'test'],
  },
  { name: 'sizes', what: 'bytes of every entry point, beside those recorded', command: ['npm', 'run', 'sizes'] },
  {
    name: 'fuzz',
    what: `${MUTANTS} mutants of each format`,
    command: ['npm', 'run', 'fuzz', '--', `${MUTANTS}`, `${firstMutant}`],
  },
  { name: 'bundlers', what: 'an app for each tool, from the tarball', command: ['npm', 'run', 'test:bundlers'] },
  {
    name: 'site',
    what: 'the API reference and its links; the page in three browsers',
    command: ['npm', 'run', 'site:test'],
  },
  {
    name: 'publish',
    what: 'npm publish without sending anything; see the list of files',
    command: ['npm', 'publish', '--dry-run'],
  },
];

/** The variables with which tests skip nothing, and find the engines that the step before has installed. */
function environment() {
  const engine = (name) => join(root, `.engines/node_modules/${name}/bin/node`);
  const nodes = ['node24', 'node26'].filter((name) => existsSync(engine(name)));
  return { ...env, CI: 'true', ...Object.fromEntries(nodes.map((name) => [name.toUpperCase(), engine(name)])) };
}

function runStep([command, ...args]) {
  // the npm that runs this, where there is one
  const npm = env.npm_execpath?.endsWith('npm-cli.js') ? [execPath, env.npm_execpath] : ['npm'];
  const [program, ...first] = command === 'npm' ? npm : [command];
  const { status, error } = spawnSync(program, [...first, ...args], {
    cwd: root,
    env: environment(),
    stdio: 'inherit',
  });
  if (error) console.error(`error: ${error.message}`);
  return status === 0;
}

/**
 * Runs steps up to the first that fails, and prints a table.
 * @param {readonly Step[]} steps
 * @param {string} [from] the name of the first to run
 * @returns whether all that ran have passed
 */
export function release(steps, from = steps[0].name) {
  const first = steps.findIndex(({ name }) => name === from);
  const results = steps.map((_, k) => (k < first ? 'left out' : 'not run'));
  for (const [k, { name, what, command }] of steps.entries()) {
    if (k < first) continue;
    console.log(`\n== ${name}: ${what}\n$ ${command.join(' ')}`);
    const start = performance.now();
    const ok = runStep(command);
    results[k] = `${ok ? 'ok' : 'FAILED'}  ${duration(performance.now() - start)}`;
    if (!ok) break;
  }
  console.log(`\n${table(steps.map(({ name, what }, k) => [name, results[k], what]))}\n`);
  const failed = results.findIndex((result) => result.startsWith('FAILED'));
  if (failed >= 0)
    console.log(`${steps[failed].name} failed. Mend it, then: npm run release -- --from ${steps[failed].name}`);
  else if (first > 0) console.log('The steps that ran have passed. A release wants all of them in one run.');
  else console.log(`${version} is ready. Publish it from the release workflow, which adds provenance.`);
  return failed < 0;
}

const duration = (ms) => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}`;

/** Rows of text with columns of equal width. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function main() {
  let options;
  try {
    options = parseArgs({ options: { list: { type: 'boolean' }, from: { type: 'string' } } }).values;
    if (options.from !== undefined && !STEPS.some(({ name }) => name === options.from))
      throw new Error(`no step "${options.from}"; there are ${STEPS.map(({ name }) => name).join(', ')}`);
  } catch (error) {
    console.error(`error: ${error.message}`);
    return 2;
  }
  if (options.list) {
    console.log(table(STEPS.map(({ name, what, command }) => [name, what, command.join(' ')])));
    return 0;
  }
  return release(STEPS, options.from) ? 0 : 1;
}

if (argv[1] === fileURLToPath(import.meta.url)) exit(main());
