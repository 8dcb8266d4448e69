// Docblocks as an editor shows them: every @example in src/ runs and prints what it says (test/support/programs.ts), and the
// doors below document every export, with an @example for each class and function.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Block, fencedBlocks, isProgram, ProgramFolder, root } from './support/programs.ts';

/** Entry points whose exports and members all have docblocks. */
const DOCUMENTED = [
  ...['index', 'audio', 'keras', 'onnx', 'ort', 'pytorch', 'safetensors'],
  ...['worklet', 'worklet-scope', 'worklet-text'],
];

const DOCBLOCK = /\/\*\*.*?\*\//gs;

/** The text of a docblock, its first line on the line where the block begins. */
function docText(block: string): string {
  return block
    .slice(3, -2)
    .split('\n')
    .map((line) => line.replace(/^ *\* ?/, '').trimEnd())
    .join('\n');
}

/** The programs in the @examples of a source text, by file and line. */
function examples(path: string, source: string): [string, Block][] {
  return [...source.matchAll(DOCBLOCK)].flatMap(({ index, 0: block }) => {
    const text = docText(block);
    const start = source.slice(0, index).split('\n').length - 1;
    return fencedBlocks(text).map((program): [string, Block] => [
      `${path}:${start + program.line}`,
      { ...program, line: start + program.line },
    ]);
  });
}

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && basename(path) !== 'embedded.ts')
  .map((path): [string, string] => [path, readFileSync(join(root, 'src', path), 'utf8')]);
const programs = sources.flatMap(([path, source]) => examples(path, source));

function fileName(name: string): string {
  return name.replace(/[^a-z0-9]+/gi, '-');
}

let folder: ProgramFolder;
beforeAll(() => {
  folder = new ProgramFolder('examples');
});
afterAll(() => folder.remove());

describe('@example', () => {
  it('is a closed block in js or ts that imports the package', () => {
    for (const [where, block] of programs) {
      expect(isProgram(block), where).toBe(true);
      expect(block.code, where).toMatch(/ from 'lstm-wasm(\/[a-z-]+)?';/);
      expect(block.code, where).toContain('console.log(');
    }
    for (const [path, source] of sources) {
      const tags = source.match(/^ *\* @example$/gm) ?? [];
      expect(source.match(/@example/g) ?? [], `${path}: a tag alone on its line`).toHaveLength(tags.length);
      const blocks = programs.filter(([where]) => where.startsWith(`${path}:`));
      expect(blocks, `${path}: a block for each tag`).toHaveLength(tags.length);
    }
  });

  it.each(programs)('%s prints what it says', (where, program) => folder.run(fileName(where), program));

  it('has no type errors where it is in ts', () => {
    expect(folder.typeErrors(new Map(programs.map(([where, block]) => [fileName(where), block])))).toEqual([]);
  });
});

describe('docblocks', () => {
  const files = DOCUMENTED.map((door) => join(root, 'src', `${door}.ts`));
  const options = {
    strict: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  };
  const program = ts.createProgram(files, { ...options, moduleResolution: ts.ModuleResolutionKind.Bundler });
  const checker = program.getTypeChecker();

  const isDocumented = (symbol: ts.Symbol) => symbol.getDocumentationComment(checker).length > 0;
  const hasExample = (symbol: ts.Symbol) => symbol.getJsDocTags(checker).some(({ name }) => name === 'example');
  const aliased = (symbol: ts.Symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

  /** The names of a symbol and its public members that have no docblock. */
  function missing(symbol: ts.Symbol, name: string): string[] {
    const target = aliased(symbol);
    const members = [...(target.members?.values() ?? []), ...(target.exports?.values() ?? [])].filter((member) =>
      member.declarations?.every((declaration) => isOpen(declaration)),
    );
    const lacking = isDocumented(target) || isDocumented(symbol) ? [] : [name];
    return [...lacking, ...members.flatMap((member) => missing(member, `${name}.${member.name}`))];
  }

  /** Whether a declaration is for users: a named member of an interface, class or namespace that is not private or @internal. */
  function isOpen(declaration: ts.Declaration): boolean {
    if (!ts.getNameOfDeclaration(declaration) || ts.isTypeParameterDeclaration(declaration)) return false;
    const { Private, Protected, Override } = ts.ModifierFlags;
    if (ts.getCombinedModifierFlags(declaration) & (Private | Protected | Override)) return false;
    return ts.getJSDocTags(declaration).every((tag) => tag.tagName.text !== 'internal');
  }

  it.each(DOCUMENTED)('%s: every export and member has one, every class, function and constant an @example', (door) => {
    const file = program.getSourceFile(join(root, 'src', `${door}.ts`))!;
    const symbols = checker.getExportsOfModule(checker.getSymbolAtLocation(file)!);
    expect(symbols.length).toBeGreaterThan(0);
    expect(symbols.flatMap((symbol) => missing(symbol, symbol.name))).toEqual([]);
    const values = symbols.map(aliased).filter(({ flags }) => flags & ts.SymbolFlags.Value);
    expect(values.filter((symbol) => !hasExample(symbol)).map(({ name }) => name)).toEqual([]);
  });
});
