// Relative links of every document lead to files and headings that are there: `npm run docs:links`. It is remark-validate-links,
// which needs no network and makes anchors of headings as GitHub does, in place of checkers that ask servers.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { root } from './support/programs.ts';

mkdirSync(join(root, 'build'), { recursive: true });
const folder = mkdtempSync(join(root, 'build', 'links-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [command, ...args] = manifest.scripts['docs:links'].split(' ');

/** What remark says about the documents of a folder; status 1 if it found something. */
function checkLinks(cwd: string, ...options: string[]): { status: number | null; messages: string } {
  const cli = join(root, 'node_modules/remark-cli/cli.js');
  const { status, stderr } = spawnSync(process.execPath, [cli, ...args, '--no-color', ...options], {
    cwd,
    encoding: 'utf8',
  });
  return { status, messages: stderr };
}

test('lead to something', () => {
  expect(command).toBe('remark');
  expect(checkLinks(root)).toEqual({ status: 0, messages: '' });
});

test('that lead nowhere are found', () => {
  mkdirSync(join(folder, 'docs'));
  copyFileSync(join(root, 'docs/worklet.md'), join(folder, 'docs/worklet.md'));
  writeFileSync(
    join(folder, 'a.md'),
    '# A\n\n[1](#b) [2](b.md) [3](docs/worklet.md#b) ![4](b.svg) [5](#a) [6](docs/worklet.md#real-time)\n',
  );
  const { status, messages } = checkLinks(folder, '--no-ignore');
  expect(status).toBe(1);
  // and those of the page that was copied alone
  expect(messages.match(/Cannot find .*?`.*?`( in `.*?`)?/g)).toEqual([
    'Cannot find heading for `#b`',
    'Cannot find file `b.md`',
    'Cannot find heading for `#b` in `docs/worklet.md`',
    'Cannot find file `b.svg`',
    'Cannot find file `formats/audio.md`',
    'Cannot find file `formats/audio.md`',
  ]);
});

test('in HTML, of pictures, lead to files', () => {
  const list = (at: string, recursive: boolean) =>
    readdirSync(join(root, at), { recursive, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .map((path) => join(at, path));
  const folders = [list('.', false), list('benchmarks', false), list('docs', true), list('examples', true)];
  const documents = folders.flat();
  expect(documents).toContain('README.md');
  for (const document of documents) {
    const text = readFileSync(join(root, document), 'utf8');
    const paths = [...text.matchAll(/<(?:img|source)\b[^>]*?\s(?:src|srcset)="([^"\s]+)"/g)].map((match) => match[1]!);
    for (const path of paths.filter((each) => !/^https?:/.test(each))) {
      expect(existsSync(join(root, dirname(document), path)), `${path} of ${document}`).toBe(true);
    }
  }
});
