// The programs of README.md and the guides are type-checked and run as they stand (test/support/programs.ts); their commands are
// those of package.json and CI, and the files of the repository that they name are there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { fencedBlocks, isProgram, ProgramFolder, root } from './support/programs.ts';

const read = (path: string) => readFileSync(join(root, path), 'utf8');
const inFolder = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
const guides = inFolder('docs/guides');
/** Shell commands of a document, without the comments behind them. */
const commandsOf = (document: string) =>
  fencedBlocks(read(document))
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.trim().split('\n'))
    .map((line) => line.replace(/\s+#.*$/, ''));

let folder: ProgramFolder;
beforeAll(() => {
  folder = new ProgramFolder('guides');
});
afterAll(() => folder.remove());

describe.each(['README.md', ...guides])('%s', (document) => {
  const text = read(document);
  const blocks = fencedBlocks(text);
  const programs = blocks.filter(isProgram);
  const nameOf = ({ line }: { readonly line: number }) => `${document.replace(/\W+/g, '-')}-${line}`;

  it('has programs that import the package, and all its fences have a language', () => {
    expect(programs.length).toBeGreaterThan(0);
    for (const { code } of programs) expect(code).toMatch(/ from 'lstm-wasm(\/[a-z-]+)?';/);
    expect(blocks.filter(({ language }) => language === '')).toEqual([]);
    expect(text.match(/^```/gm)).toHaveLength(2 * blocks.length);
  });

  it.each(programs)('runs the $language program at line $line, which prints what it says', (program) => {
    folder.run(nameOf(program), program);
  });

  it('has ts programs without type errors', () => {
    expect(folder.typeErrors(new Map(programs.map((program) => [nameOf(program), program])))).toEqual([]);
  });
});

describe('README.md', () => {
  it('shows how to install, start and test, and CI runs that test command', () => {
    const commands = commandsOf('README.md');
    expect(commands).toContain('npm install lstm-wasm');
    expect(commands).toContain('npm ci && npm start');
    expect(commands).toContain('npm ci && npm test');
    expect(read('.ci/run').split('\n')).toContain('npm ci && npm test');
  });

  it('links to every guide', () => {
    const text = read('README.md');
    for (const guide of guides) expect(text).toContain(`](${guide})`);
  });
});

describe.each(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'benchmarks/README.md', ...inFolder('docs'), ...guides])(
  '%s',
  (document) => {
    const text = read(document);

    it('names scripts of package.json', () => {
      const names = [...text.matchAll(/\bnpm (?:run )?(start|test|(?<=run )[\w:-]+)/g)].map((match) => match[1]!);
      expect(names.filter((name) => !(name in manifest.scripts))).toEqual([]);
    });

    // but for what programs write
    it('names files and folders that exist', () => {
      const paths = [
        ...text.matchAll(/`((?:assembly|benchmarks|docs|examples|scripts|site|src|test)\/[\w./-]*)`/g),
      ].map((match) => match[1]!);
      const written = ['benchmarks/results/', 'site/public/api/'];
      expect(paths.filter((path) => !written.includes(path) && !existsSync(join(root, path)))).toEqual([]);
    });
  },
);
