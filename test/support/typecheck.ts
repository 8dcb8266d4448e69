import ts from 'typescript';

const libraries = new Map<string, ts.SourceFile | undefined>();

/**
 * What the compiler says about `files` and all they import, one line a message; `options` as in a tsconfig.json. Of the
 * declarations it only leaves TypeScript's own unchecked, and with `skipLibCheck` the others.
 */
export function typeErrors(folder: string, files: readonly string[], options: Record<string, unknown>): string[] {
  const parsed = ts.convertCompilerOptionsFromJson({ noEmit: true, strict: true, ...options }, folder);
  const host = ts.createCompilerHost(parsed.options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, ...rest) => {
    if (!/\/typescript\/lib\/lib\..*\.d\.ts$/.test(name)) return getSourceFile(name, ...rest);
    if (!libraries.has(name)) libraries.set(name, getSourceFile(name, ...rest));
    return libraries.get(name);
  };
  const program = ts.createProgram({ rootNames: files, options: parsed.options, host });
  const diagnostics = [...parsed.errors, ...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  for (const file of program.getSourceFiles()) {
    if (program.isSourceFileDefaultLibrary(file)) continue;
    diagnostics.push(...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file));
  }
  return diagnostics.map(({ file, start, code, messageText }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
    return `${file?.fileName ?? ''}:${line} TS${code} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}
