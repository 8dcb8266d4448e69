#!/usr/bin/env node
import { CommanderError } from 'commander';
import { CliError, messageOf } from './errors.ts';
import { outputError } from './files.ts';
import { makeProgram } from './program.ts';

// The command `lstm-wasm`. What goes wrong is one line on standard error, and a status.

const program = makeProgram();

/** Says what went wrong and gives the exit status. */
function report(error: unknown): number {
  if (error instanceof CommanderError && error.exitCode === 0) return 0;
  const isCall = error instanceof CommanderError;
  // `help nosuch`, for which commander has no words
  const isHelp = isCall && error.code === 'commander.help';
  const told = isHelp ? new Error(`unknown command '${process.argv[3]}'`) : error;
  const text = messageOf(told).replace(/^error: |\.$/g, '');
  process.stderr.write(`lstm-wasm: ${isCall ? `${text}; see lstm-wasm --help` : text}\n`);
  return error instanceof CliError ? error.exitCode : isCall ? 2 : 1;
}

process.stdout.on('error', (error) => {
  const refused = outputError(error);
  // Bun tells the writer first, who has said it
  process.exit(process.exitCode ?? report(refused));
});

try {
  if (process.argv.length < 3) throw new CliError('no command given; see lstm-wasm --help', 2);
  await program.parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
