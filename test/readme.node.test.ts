// The README's programs are type-checked and run as they stand, each as a process of its own in the repository, where
// `lstm-wasm` is the built package; its commands are those of CI. A comment after a console.log is what it prints.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LSTM } from '../src/index.ts';
import { serializeSafetensors } from '../src/safetensors.ts';
import { typeErrors } from './support/typecheck.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The fenced blocks, with the line each begins at. */
const blocks = [...readme.matchAll(/^```(\S*)\n(.*?)^```$/gms)].map(({ index, 1: language, 2: code }) => {
  return { language: language!, code: code!, line: readme.slice(0, index).split('\n').length + 1 };
});
const programs = blocks.filter(({ language }) => language === 'js' || language === 'ts');
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.trim().split('\n'))
  .map((line) => line.replace(/\s+#.*$/, ''));

/** For every console.log the comment at the end of its line, in the order of the text. */
function expectedOutput(code: string): (string | undefined)[] {
  const source = ts.createSourceFile('block.ts', code, ts.ScriptTarget.Latest, true);
  const expected: (string | undefined)[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isExpressionStatement(node) && /^console\s*\.\s*log\s*\(/.test(node.getText())) {
      const [comment] = ts.getTrailingCommentRanges(code, node.end) ?? [];
      expected.push(comment && code.slice(comment.pos + 2, comment.end));
    } else ts.forEachChild(node, visit);
  };
  visit(source);
  return expected;
}

/** What an engine may print in another way: space in lists. */
function normalize(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/([[{]) /g, '$1')
    .replace(/ ([\]}])/g, '$1')
    .trim();
}

/** Makes console.log print one JSON string a call. */
const PRELOAD = `
  import { format } from 'node:util';
  console.log = (...values) => process.stdout.write(JSON.stringify(format(...values)) + '\\n');
`;

let folder: string;

beforeAll(() => {
  mkdirSync(join(root, 'build'), { recursive: true });
  folder = mkdtempSync(join(root, 'build', 'readme-'));
  writeFileSync(join(folder, 'preload.mjs'), PRELOAD);
  // the file that a program may read: of a model that has the LSTM as a part
  const weights = new LSTM(10, 20, { numLayers: 2, seed: 1 }).stateDict('encoder.lstm.');
  weights.set('head.weight', { data: new Float32Array(20), dims: [1, 20] });
  writeFileSync(join(folder, 'model.safetensors'), serializeSafetensors(weights));
  for (const [name, path] of [
    ['model.pt', 'test/fixtures/pytorch/lstm_linear.pt'],
    ['model.onnx', 'test/fixtures/onnx-ort/forward.onnx'],
    ['model.h5', 'test/fixtures/keras/model.h5'],
    ['amp.nam', 'examples/guitar-amp/data/nam/lstm.nam'],
  ] as const) {
    copyFileSync(join(root, path), join(folder, name));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('README.md', () => {
  it('has programs in both languages that import the package, and all its fences have a language', () => {
    expect(new Set(programs.map(({ language }) => language))).toEqual(new Set(['js', 'ts']));
    for (const { code } of programs) expect(code).toMatch(/ from 'lstm-wasm(\/[a-z]+)?';/);
    expect(blocks.filter(({ language }) => language === '')).toEqual([]);
    expect(readme.match(/^```/gm)).toHaveLength(2 * blocks.length);
  });

  it.each(programs)(
    'runs the $language program at line $line, which prints what it says',
    ({ language, code, line }) => {
      const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
      const program = language === 'ts' ? ts.transpileModule(code, { compilerOptions }).outputText : code;
      writeFileSync(join(folder, `line-${line}.mjs`), program);
      const args = ['--import', './preload.mjs', `line-${line}.mjs`];
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const printed: string[] = stdout
        .split('\n')
        .slice(0, -1)
        .map((text) => normalize(JSON.parse(text)));
      const expected = expectedOutput(code);
      expect(printed).toEqual(expected.map((text) => (text === undefined ? expect.any(String) : normalize(text))));
    },
  );

  it('has ts programs without type errors', () => {
    const files = programs
      .filter(({ language }) => language === 'ts')
      .map(({ code, line }) => {
        writeFileSync(join(folder, `line-${line}.ts`), code);
        return join(folder, `line-${line}.ts`);
      });
    const errors = typeErrors(folder, files, {
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable', 'dom'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      moduleDetection: 'force',
      skipLibCheck: true,
    });
    expect(errors).toEqual([]);
  });

  it('shows how to install, start and test, and CI runs that test command', () => {
    expect(commands).toContain('npm install lstm-wasm');
    expect(commands).toContain('npm ci && npm start');
    expect(commands).toContain('npm ci && npm test');
    expect(readFileSync(join(root, '.ci/run'), 'utf8').split('\n')).toContain('npm ci && npm test');
  });
});
