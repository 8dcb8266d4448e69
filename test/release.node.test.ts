// scripts/release.mjs, and that the documents of a version agree about it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { STEPS } from '../scripts/release.mjs';
import { root } from './support/programs.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** Runs a program of Node and returns its status and what it prints. */
function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('npm run release', () => {
  const scripts = STEPS.map(({ command: [command, first, second] }) => {
    return command === 'npm' && (first === 'run' ? second : first);
  });

  test('its steps are scripts of package.json, between a clean checkout and a publication that sends nothing', () => {
    expect(new Set(STEPS.map(({ name }) => name)).size).toBe(STEPS.length);
    expect(STEPS[0]!.command.join(' ')).toBe('git diff --stat --exit-code HEAD');
    expect(STEPS.at(-1)!.command).toEqual(['npm', 'publish', '--dry-run']);
    for (const script of scripts.slice(1, -1)) expect(manifest.scripts).toHaveProperty([script as string]);
  });

  test('it runs all that CI runs', () => {
    const ci = read('.ci/run');
    const called = [...ci.matchAll(/npm (?:run ([\w:-]+)|(test))/g)].map(([, script, test]) => script ?? test);
    expect(called.length).toBeGreaterThan(2);
    expect(scripts).toEqual(expect.arrayContaining(called));
    expect(ci).toContain('node scripts/bundlers.mjs --quick');
    expect(scripts).toContain('test:bundlers');
  });

  test('the workflows of a public host run the same commands', () => {
    const runs = (workflow: string) =>
      [...read(`.github/workflows/${workflow}.yml`).matchAll(/^ +- run: (.*)$/gm)].map((match) => match[1]!);
    expect(runs('ci')).toEqual(['.ci/run']);
    expect(runs('release')).toEqual(expect.arrayContaining(['.ci/packages', 'npm run release', 'npm publish']));
  });

  test('--list prints the steps; an unknown step is refused', () => {
    const { status, stdout } = run('scripts/release.mjs', '--list');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(STEPS.length);
    expect(run('scripts/release.mjs', '--from', 'tests')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^error: no step "tests"; there are clean, links, .*publish\n$/),
    });
  });

  test('it stops at the first step that fails, and says so in a table', () => {
    const program = `
      import { release } from './scripts/release.mjs';
      const step = (name, code) => ({ name, what: name + '.', command: ['node', '-e', code] });
      const steps = [step('a', 'process.exit(1)'), step('b', '0'), step('c', 'process.exit(3)'), step('d', '0')];
      process.exitCode = release(steps, 'b') ? 0 : 1;
    `;
    const { status, stdout } = run('--input-type=module', '--eval', program);
    expect(status).toBe(1);
    const rows = stdout.match(/^[abcd] {2}.*$/gm)!.map((row) => row.split(/ {2,}/).slice(0, 2));
    expect(rows).toEqual([
      ['a', 'left out'],
      ['b', 'ok'],
      ['c', 'FAILED'],
      ['d', 'not run'],
    ]);
    expect(stdout).toContain('npm run release -- --from c');
  });
});

describe('a version', () => {
  const changelog = read('CHANGELOG.md');

  test('has a section of the changelog, below that of changes to come', () => {
    const headings = [...changelog.matchAll(/^## (.*)$/gm)].map((match) => match[1]!);
    expect(headings[0]).toBe('[Unreleased]');
    expect(headings[1]).toMatch(
      new RegExp(`^\\[${manifest.version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d$`),
    );
    for (const heading of headings.slice(1)) expect(heading).toMatch(/^\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d$/);
    const kinds = [...changelog.matchAll(/^### (.*)$/gm)].map((match) => match[1]!);
    const allowed = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];
    expect(kinds.filter((kind) => !allowed.includes(kind))).toEqual([]);
  });

  test('has each line of the changelog once', () => {
    const lines = changelog.split('\n').filter((line) => line.startsWith('- '));
    expect(lines.filter((line, at) => lines.indexOf(line) !== at)).toEqual([]);
  });

  test('is that of the citation, with its date', () => {
    const citation = read('CITATION.cff');
    expect(citation).toContain(`\nversion: ${manifest.version}\n`);
    expect(citation).toContain(`\ndate-released: "${changelog.match(/^## \[\d.*\] - (.*)$/m)![1]}"\n`);
  });

  test('is published for all, with provenance', () => {
    expect(manifest.publishConfig).toEqual({ access: 'public', provenance: true });
  });
});
