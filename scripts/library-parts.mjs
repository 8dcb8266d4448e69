// Leaves out of libraries what src/ does not use and no bundler can tell: methods of a class, and ways for other engines.
import ts from 'typescript';

/** What ProtobufReader in src/onnx/protobuf.ts calls, and what that calls. */
const READER_METHODS = new Set(['constructor', 'tag', 'int64', 'assertBounds']);

/** The text without the other methods of BinaryReader; src/ gives it a decoder of text, so that the default one is not needed. */
function trimReader(code, id) {
  const file = ts.createSourceFile(id, code, ts.ScriptTarget.Latest, true);
  const reader = file.statements.find((each) => ts.isClassDeclaration(each) && each.name.text === 'BinaryReader');
  const nameOf = (member) => (ts.isConstructorDeclaration(member) ? 'constructor' : member.name.getText());
  const kept = reader.members.filter((member) => READER_METHODS.has(nameOf(member)));
  if (kept.length !== READER_METHODS.size) throw new Error(`${id}: BinaryReader lacks one of ${[...READER_METHODS]}`);
  return reader.members
    .filter((member) => !kept.includes(member))
    .sort((a, b) => b.pos - a.pos)
    .reduce((text, { pos, end }) => text.slice(0, pos) + text.slice(end), code);
}

// AudioWorklets lack text encodings. Every engine with SIMD has BigInt; the library's own file also asks for an environment variable,
// for which Parcel would install a package.
const TEXT_ENCODING = ['getTextEncoding', 'configureTextEncoding', 'emulateEncodeInto']
  .map((name) => `export const ${name} = null;`)
  .join('\n');
const INT64 = `export const protoInt64 = {
  dec: (lo, hi) => (BigInt(hi | 0) << 32n) | BigInt(lo >>> 0),
};`;

export const libraryParts = {
  name: 'library-parts',
  load(id) {
    if (id.endsWith('/protobuf/dist/esm/wire/text-encoding.js')) return TEXT_ENCODING;
    return id.endsWith('/protobuf/dist/esm/proto-int64.js') ? INT64 : undefined;
  },
  transform: (code, id) =>
    id.endsWith('/protobuf/dist/esm/wire/binary-encoding.js') ? { code: trimReader(code, id), map: null } : undefined,
};
