// What `sideEffects: false` says of a module, said of each call that is made as it is loaded, so that bundlers leave out of a
// module what is not used: an import of parseOnnx has no operators. No mark can be set on a spread; write concat() or flat().
import ts from 'typescript';

export const pureCalls = {
  name: 'pure-calls',
  transform(code, id) {
    if (!/[\\/]src[\\/].*\.ts$/.test(id)) return undefined;
    const starts = new Set();
    const visit = (node) => {
      if (ts.isFunctionLike(node) || ts.isClassLike(node)) return;
      if (ts.isCallExpression(node) || ts.isNewExpression(node)) starts.add(node.getStart());
      ts.forEachChild(node, visit);
    };
    const file = ts.createSourceFile(id, code, ts.ScriptTarget.Latest, true);
    file.statements.filter(ts.isVariableStatement).forEach(visit);
    const fromEnd = [...starts].sort((a, b) => b - a);
    // lines stay, and maps are to lines
    return {
      code: fromEnd.reduce((text, at) => `${text.slice(0, at)}/* @__PURE__ */ ${text.slice(at)}`, code),
      map: null,
    };
  },
};
