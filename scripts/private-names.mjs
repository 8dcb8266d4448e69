// Gives members that src/ declares private, and some others, short names in dist/, as minifiers give variables: they do not know what TypeScript calls
// private. Each file counts its names from _a on, but one with a class that extends another file's goes on where that one ends.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/**
 * Members that nobody outside of src/ sees, though TypeScript does not call them private: of protected members, of what @internal hides, and
 * of structs. No built-in object has one of these names, and no string has.
 */
const INSIDE = [
  ...['checkAlive', 'allocateForViews', 'orFree', 'initializeParameters', 'parametersChanged', 'quantizedValues'],
  ...['outputSize', 'cellSize', 'gateRows', 'stateCount', 'stepScratch', 'scratchBytes', 'bytesOf', 'addBiases'],
  ...['runSequence', 'traceSequence', 'tensorOf', 'isPacked', 'copyMore'],
  ...[
    'blockRows',
    'xStride',
    'zStride',
    'initStride',
    'panels',
    'matrices',
    'previous',
    'isNew',
    'sizes',
    'directions',
    'scratch',
  ],
  ...['_batchFirst', '_batchSizes', '_checkAttached', '_checkInput', '_cn', '_c0', '_hn', '_h0', '_input', '_letGo'],
  ...['_order', '_output', '_rows', '_steps'],
];

const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const ENDINGS = LETTERS.concat(LETTERS.flatMap((first) => LETTERS.map((second) => first + second)));

function visitIdentifiers(path, code, visit) {
  const visitNode = (node) => {
    if (ts.isIdentifier(node)) visit(node);
    ts.forEachChild(node, visitNode);
  };
  visitNode(ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true));
}

/** Reads from a file which classes it declares and extends, and its private members of the form _name, the most used first. */
function read(path) {
  const [declared, extended, privates, uses] = [new Set(), new Set(), new Set(), new Map()];
  visitIdentifiers(path, readFileSync(path, 'utf8'), ({ text, parent }) => {
    uses.set(text, (uses.get(text) ?? 0) + 1);
    if (ts.isClassLike(parent)) declared.add(text);
    if (ts.isExpressionWithTypeArguments(parent)) extended.add(text);
    const isPrivate = ts.getCombinedModifierFlags(parent) & ts.ModifierFlags.Private;
    if (isPrivate && text.startsWith('_')) privates.add(text);
  });
  return { path, declared, extended, privates: [...privates].sort((a, b) => uses.get(b) - uses.get(a)) };
}

/**
 * @param {string} folder that of the sources
 * @returns {import('rolldown').Plugin}
 */
export function shortPrivateNames(folder) {
  const paths = readdirSync(folder, { recursive: true }).filter((path) => path.endsWith('.ts'));
  const files = paths.map((path) => read(join(folder, path)));
  const bases = ({ declared, extended }) =>
    files.filter((file) => [...extended].some((name) => file.declared.has(name) && !declared.has(name)));
  const startOf = (file) => Math.max(0, ...bases(file).map((base) => startOf(base) + base.privates.length));
  /** Short names by name, for each file. */
  const shortNames = new Map(
    files.map((file) => {
      const start = startOf(file);
      return [file.path, new Map(file.privates.map((name, i) => [name, `_${ENDINGS[start + i]}`]))];
    }),
  );
  const inside = INSIDE.map((name, i) => [name, `$${ENDINGS[i]}`]);
  return {
    name: 'short-private-names',
    transform(code, id) {
      const own = shortNames.get(id);
      if (!own) return undefined;
      const names = new Map([...own, ...inside]);
      const found = [];
      visitIdentifiers(id, code, (identifier) => names.has(identifier.text) && found.push(identifier));
      const replace = (text, identifier) =>
        text.slice(0, identifier.getStart()) + names.get(identifier.text) + text.slice(identifier.getEnd());
      // lines stay, and maps are to lines
      return { code: found.sort((a, b) => b.pos - a.pos).reduce(replace, code), map: null };
    },
  };
}
