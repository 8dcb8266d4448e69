// Programs in documents are run as they stand, each as a process of its own in a folder of the repository, where `lstm-wasm` is
// the built package. A comment after a console.log is what it prints; one without a comment may print anything.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect } from 'vitest';
import { LSTM } from '../../src/index.ts';
import { serializeSafetensors } from '../../src/safetensors.ts';
import { typeErrors } from './typecheck.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Block {
  /** The fence's language: '' if it has none. */
  readonly language: string;
  readonly code: string;
  /** The line after the fence. */
  readonly line: number;
}

/** The fenced blocks of a document. */
export function fencedBlocks(text: string): Block[] {
  return [...text.matchAll(/^```(\S*)\n(.*?)^```$/gms)].map(({ index, 1: language, 2: code }) => {
    return { language: language!, code: code!, line: text.slice(0, index).split('\n').length + 1 };
  });
}

export function isProgram({ language }: Block): boolean {
  return language === 'js' || language === 'ts';
}

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

/** Drops the spaces that engines print differently in lists. */
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

/** The working directory of programs, with the files that they may read. */
export class ProgramFolder {
  readonly path: string;

  constructor(name: string) {
    mkdirSync(join(root, 'build'), { recursive: true });
    this.path = mkdtempSync(join(root, 'build', `${name}-`));
    writeFileSync(join(this.path, 'preload.mjs'), PRELOAD);
    // weights of a model that has an LSTM as a part
    const weights = new LSTM(10, 20, { numLayers: 2, seed: 1 }).stateDict('encoder.lstm.');
    weights.set('head.weight', { data: new Float32Array(20), dims: [1, 20] });
    writeFileSync(join(this.path, 'model.safetensors'), serializeSafetensors(weights));
    for (const [file, from] of [
      ['model.pt', 'test/fixtures/pytorch/lstm_linear.pt'],
      ['model.onnx', 'test/fixtures/onnx-ort/forward.onnx'],
      ['silero_vad.onnx', 'node_modules/@ricky0123/vad-web/dist/silero_vad_v5.onnx'],
      ['model.h5', 'test/fixtures/keras/model.h5'],
      ['model.json', 'test/fixtures/keras/default_hardsigmoid.model.json'],
      ['weights.bin', 'test/fixtures/keras/default_hardsigmoid.weights.bin'],
      ['amp.nam', 'examples/guitar-amp/data/nam/lstm.nam'],
    ] as const) {
      copyFileSync(join(root, from), join(this.path, file));
    }
  }

  /** Runs a program and compares what it prints. */
  run(name: string, { language, code }: Block): void {
    const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    const program = language === 'ts' ? ts.transpileModule(code, { compilerOptions }).outputText : code;
    writeFileSync(join(this.path, `${name}.mjs`), program);
    const args = ['--import', './preload.mjs', `${name}.mjs`];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: this.path, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const printed: string[] = stdout
      .split('\n')
      .slice(0, -1)
      .map((text) => normalize(JSON.parse(text)));
    const expected = expectedOutput(code);
    expect(printed).toEqual(expected.map((text) => (text === undefined ? expect.any(String) : normalize(text))));
  }

  /** The compiler's complaints about those of the programs that are in TypeScript, by name. */
  typeErrors(programs: ReadonlyMap<string, Block>): string[] {
    const files = [...programs]
      .filter(([, { language }]) => language === 'ts')
      .map(([name, { code }]) => {
        writeFileSync(join(this.path, `${name}.ts`), code);
        return join(this.path, `${name}.ts`);
      });
    return typeErrors(this.path, files, {
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023', 'dom'],
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      moduleDetection: 'force',
      skipLibCheck: true,
    });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
