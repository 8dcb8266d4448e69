// build/types/, which tsc has written a file a module, to dist/*.d.ts: one an entry point, and one for what they share.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import ts from 'typescript';

/** What a compiler with lib es2022 alone needs for `[Symbol.dispose]`; TypeScript has it since 5.2. */
const DISPOSABLE = '/// <reference lib="esnext.disposable" />\n';

/** What runtimes that take compiled modules make of `import wasm from 'lstm-wasm/lstm.wasm'`. */
const WASM = `import type { WasmModule } from './index.js';

/** The compiled module, for initialize() or an option. */
declare const wasm: WasmModule;
export default wasm;
`;

/** As in the build of JavaScript: ort.d.ts imports onnx.d.ts as a user does. */
const ortOnOnnx = {
  name: 'ort-on-onnx',
  resolveId: (source, importer) =>
    source === '../onnx.ts' || (source === './onnx.ts' && importer?.endsWith('/ort.d.ts'))
      ? { id: './onnx.js', external: true }
      : undefined,
};

/** @param doors for each entry point the names that it exports at run time */
export async function writeDeclarations(types, dist, doors) {
  for (const name of readdirSync(types, { encoding: 'utf8', recursive: true })) {
    if (!name.endsWith('.d.ts')) continue;
    const path = join(types, name);
    writeFileSync(path, withoutInternals(readFileSync(path, 'utf8')));
  }
  // who is imported for what it does
  const [bare, names] = [0, 1].map((least) =>
    Object.keys(doors).filter((name) => Math.min(doors[name].length, 1) === least),
  );
  for (const name of bare) writeFileSync(join(dist, `${name}.d.ts`), 'export {};\n');
  const bundle = await rollup({
    input: Object.fromEntries(names.map((name) => [name, join(types, `${name}.d.ts`)])),
    plugins: [ortOnOnnx, dts()],
    onwarn: (warning) => {
      // base classes are seen through the classes that extend them, whose names are public
      if (!/ still references private shared type exports /.test(warning.message)) throw new Error(warning.message);
    },
  });
  const { output } = await bundle.generate({
    format: 'esm',
    entryFileNames: '[name].d.ts',
    chunkFileNames: '[name].d.ts',
    manualChunks: (id) =>
      /\/types\/(base\/|cells\/kernels|memory\/wasm|nn\/(module|packed-sequence|recurrent|state|state-dict|streams?|trace)\.)/.test(
        id,
      )
        ? 'shared'
        : undefined,
    minifyInternalExports: false,
  });
  await bundle.close();
  writeFileSync(join(dist, 'wasm.d.ts'), WASM);
  for (const { name, isEntry, fileName, code } of output) {
    const text = isEntry ? withTypeExports(code, new Set(doors[name])) : code;
    writeFileSync(join(dist, fileName), (text.includes('Symbol.dispose') ? DISPOSABLE : '') + text);
  }
}

/** Declarations that export as types alone what has no value: the plugin takes every class for one. */
function withTypeExports(code, values) {
  return code.replace(/^export (?:type )?\{ ([^}]*) \}( from [^;]*)?;$/gm, (_, list, from = '') => {
    const names = list.split(', ');
    const isValue = (name) => values.has(name.match(/\S+$/)[0]);
    return [
      ['export', names.filter(isValue)],
      ['export type', names.filter((name) => !isValue(name))],
    ]
      .filter(([, some]) => some.length > 0)
      .map(([keyword, some]) => `${keyword} { ${some.join(', ')} }${from};`)
      .join('\n');
  });
}

/**
 * Declarations without private and protected members, and without the constructors of abstract classes: they name types of the
 * inside, and a type without private members is what Vue's UnwrapRef and other mapped types leave whole.
 */
function withoutInternals(code) {
  const source = ts.createSourceFile('module.d.ts', code, ts.ScriptTarget.Latest);
  const cuts = [];
  const has = (node, kind) => node.modifiers?.some((modifier) => modifier.kind === kind) ?? false;
  for (const node of source.statements.filter(ts.isClassDeclaration)) {
    for (const member of node.members) {
      const isConstructor = ts.isConstructorDeclaration(member);
      const isHidden =
        (!isConstructor && has(member, ts.SyntaxKind.PrivateKeyword)) ||
        has(member, ts.SyntaxKind.ProtectedKeyword) ||
        (isConstructor && has(node, ts.SyntaxKind.AbstractKeyword));
      if (isHidden) cuts.push([member.getFullStart(), member.end]);
    }
  }
  return cuts.reduceRight((text, [start, end]) => text.slice(0, start) + text.slice(end), code);
}
