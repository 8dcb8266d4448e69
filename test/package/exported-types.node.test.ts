// The rolled-up declarations, read by the compiler: values are those that there are at run time, and a program can name every type
// that a signature names.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root } from '../support/consumer.ts';

const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const doors = Object.values<{ types?: string; default?: string }>(exports)
  .filter((door) => door.default?.endsWith('.js'))
  .map((door) => ({ types: join(root, door.types!), code: join(root, door.default!), name: door.types!.slice(7) }));

const program = ts.createProgram({
  rootNames: doors.map(({ types }) => types),
  options: {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    // an LstmNode is an AudioNode
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
  },
});
const checker = program.getTypeChecker();

const exportsOf = (path: string) =>
  checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(path)!)!);
const resolved = (symbol: ts.Symbol) =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/** Whether a program can name it, by itself or as a member of a namespace, with what an entry point exports. */
function hasName(exported: readonly ts.Symbol[], symbol: ts.Symbol): boolean {
  const namespaces = symbol
    .declarations!.map((node) => node.parent?.parent)
    .filter((node) => node && ts.isModuleDeclaration(node));
  return [symbol, ...namespaces.map(({ name }) => checker.getSymbolAtLocation(name)!)].some((each) =>
    exported.includes(each),
  );
}

/** Whether `export type` stands before a name, on its way from the door. */
const isTypeOnly = (symbol: ts.Symbol) =>
  symbol.declarations!.some((node) => ts.isExportSpecifier(node) && (node.isTypeOnly || node.parent.parent.isTypeOnly));

/**
 * The names of our own types in what a public declaration says, less base classes: their members are seen through the classes that
 * extend them.
 */
function namesIn(node: ts.Node, found: Map<string, ts.Symbol>): void {
  if (ts.isHeritageClause(node) && node.token === ts.SyntaxKind.ExtendsKeyword && ts.isClassDeclaration(node.parent)) {
    for (const base of node.types) {
      for (const declaration of resolved(checker.getSymbolAtLocation(base.expression)!).declarations!) {
        if (isOurs(declaration)) namesIn(declaration, found);
      }
    }
    return;
  }
  if (ts.isIdentifier(node) && (ts.isTypeReferenceNode(node.parent) || ts.isExpressionWithTypeArguments(node.parent))) {
    const symbol = resolved(checker.getSymbolAtLocation(node)!);
    if (symbol.declarations!.some((each) => isOurs(each) && !ts.isTypeParameterDeclaration(each)))
      found.set(node.text, symbol);
  }
  ts.forEachChild(node, (child) => namesIn(child, found));
}
const isOurs = (node: ts.Node) => node.getSourceFile().fileName.startsWith(join(root, 'dist'));

describe.each(doors)('$name', ({ types, code }) => {
  it('exports the values that the code exports', async () => {
    const isValue = (symbol: ts.Symbol) => (resolved(symbol).flags & ts.SymbolFlags.Value) !== 0 && !isTypeOnly(symbol);
    const values = exportsOf(types).filter(isValue);
    expect(values.map(({ name }) => name).sort()).toEqual(Object.keys(await import(code)).sort());
  });

  it('names types that it exports', () => {
    const found = new Map<string, ts.Symbol>();
    const all = exportsOf(types).map(resolved);
    for (const symbol of all) {
      for (const declaration of symbol.declarations!) namesIn(declaration, found);
    }
    expect([...found].filter(([, symbol]) => !hasName(all, symbol)).map(([name]) => name)).toEqual([]);
  });
});

it('has nothing of the inside: no private or protected member, no name with an underscore', () => {
  const folder = join(root, 'dist');
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.d.ts'))) {
    const declarations = readFileSync(join(folder, name), 'utf8');
    const text = declarations.replace(/\/\*\*[\s\S]*?\*\//g, '');
    const inside = /\b(private|protected)\b|\b_(?!default\b)\w+|WebAssembly\./gi;
    expect(text.match(inside) ?? [], name).toEqual([]);
    // a compiler with lib es2022 alone has no Symbol.dispose
    const reference = '/// <reference lib="esnext.disposable" />\n';
    expect(declarations.startsWith(reference), name).toBe(text.includes('Symbol.dispose'));
  }
});
