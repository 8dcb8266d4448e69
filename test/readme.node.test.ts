// The README's programs are type-checked and run as they stand (test/support/programs.ts); its commands are those of CI.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fencedBlocks, isProgram, ProgramFolder, root } from './support/programs.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = fencedBlocks(readme);
const programs = blocks.filter(isProgram);
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.trim().split('\n'))
  .map((line) => line.replace(/\s+#.*$/, ''));

let folder: ProgramFolder;
beforeAll(() => {
  folder = new ProgramFolder('readme');
});
afterAll(() => folder.remove());

describe('README.md', () => {
  it('has programs in both languages that import the package, and all its fences have a language', () => {
    expect(new Set(programs.map(({ language }) => language))).toEqual(new Set(['js', 'ts']));
    for (const { code } of programs) expect(code).toMatch(/ from 'lstm-wasm(\/[a-z-]+)?';/);
    expect(blocks.filter(({ language }) => language === '')).toEqual([]);
    expect(readme.match(/^```/gm)).toHaveLength(2 * blocks.length);
  });

  it.each(programs)('runs the $language program at line $line, which prints what it says', (program) => {
    folder.run(`line-${program.line}`, program);
  });

  it('has ts programs without type errors', () => {
    expect(folder.typeErrors(new Map(programs.map((program) => [`line-${program.line}`, program])))).toEqual([]);
  });

  it('shows how to install, start and test, and CI runs that test command', () => {
    expect(commands).toContain('npm install lstm-wasm');
    expect(commands).toContain('npm ci && npm start');
    expect(commands).toContain('npm ci && npm test');
    expect(readFileSync(join(root, '.ci/run'), 'utf8').split('\n')).toContain('npm ci && npm test');
  });
});
