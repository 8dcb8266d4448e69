import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { COMMAND, call, fixture, refuse, root, succeed } from '../support/cli.ts';

// Calls, right and wrong: help, version, status, colours, completion.

const COMMANDS = ['inspect', 'convert', 'run', 'bench', 'trace', 'completion'];
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

describe('help', () => {
  test('of the program names every command and fits 100 columns', () => {
    const text = succeed(['--help']);
    for (const command of COMMANDS) expect(text).toMatch(new RegExp(`^  ${command} `, 'm'));
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text).toContain('npx lstm-wasm inspect');
  });

  test.each(COMMANDS)('of %s has examples, which call options that it has', (command) => {
    const text = succeed([command, '--help']);
    expect(succeed(['help', command])).toBe(text);
    const [options, examples] = text.split('Examples:\n') as [string, string];
    const calls = examples.split('\n').filter((line) => line.includes(`lstm-wasm ${command}`));
    expect(calls.length).toBeGreaterThan(0);
    for (const [option] of examples.matchAll(/--[a-z0-9]+/g)) expect(options).toContain(option);
  });

  test('-V is the version of the package', () => {
    expect(succeed(['-V'])).toBe(`${version}\n`);
  });
});

describe('wrong calls end with 2', () => {
  const model = fixture('pytorch/lstm.pt');
  test.each<[readonly string[], RegExp]>([
    [[], /no command given; see lstm-wasm --help/],
    [['inspct', model], /unknown command 'inspct' \(Did you mean inspect\?\)/],
    [['help', 'nosuch\u001b[2J'], /: unknown command 'nosuch\\u\{1b\}\[2J'; see lstm-wasm --help/],
    [
      ['inspect', fixture('pytorch/lstm.safetensors'), '--key', 'a'],
      /--key is for a PyTorch checkpoint; .* is safetensors/,
    ],
    [
      ['inspect', model, '--weights', 'x.h5'],
      /--weights is for an architecture of Keras in JSON; .* is PyTorch checkpoint/,
    ],
    [['run', fixture('keras/model.h5'), '-i', 'x', '--key', 'a'], /--key is for a PyTorch checkpoint; .* is Keras/],
    [['inspect'], /missing required argument 'file'/],
    [['inspect', model, model], /too many arguments/],
    [['inspect', model, '--jsn'], /unknown option '--jsn' \(Did you mean --json\?\)/],
    [['inspect', model, '--key'], /argument missing/],
    [['inspect', '\u001b[31m', '--\u202ex'], /unknown option '--\\u\{202e\}x'/],
    [['run', model], /'-i, --input <file>' not specified/],
    [['run', model, '-i', model, '-o', 'out.txt'], /--output has to end with .npy, .csv, .json or .wav, got "out.txt"/],
    [['run', '-', '-i', '-'], /standard input can be read once/],
    [['run', model, '-i', model, '--knob', 'x'], /argument 'x' is invalid. Expected a number/],
    [['run', model, '-i', model, '--format', 'xls'], /Allowed choices are npy, csv, json, wav/],
    [['bench', model, '--steps', '0'], /Expected 1 to 1000000/],
    [['convert', model, 'out.pt'], /OUT has to end with .safetensors, got "out.pt"/],
    [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/],
  ])('%j', (args, message) => {
    refuse(args, 2, message);
  });
});

describe('colours', () => {
  const args = ['inspect', fixture('pytorch/lstm.pt')];
  const plain = succeed(args);

  test('are not in a pipe, nor where NO_COLOR is set', () => {
    expect(plain).not.toContain('\u001b');
    expect(succeed(args, { env: { NO_COLOR: '1', FORCE_COLOR: '1' } })).toBe(plain);
    expect(succeed(args, { env: { CI: '1' } })).toBe(plain);
  });

  test('change no text', () => {
    const coloured = succeed(args, { env: { FORCE_COLOR: '1' } });
    expect(coloured).toContain('\u001b[');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
  });
});

test.each([40, 80, 120])('tables fit %i columns and lose no text', (columns) => {
  for (const file of [
    'pytorch/lstm_linear.pt',
    'keras/model.h5',
    'onnx-ort/torch_tagger_2l_bi.onnx',
    'dtln/model_1.onnx',
  ]) {
    const args = ['inspect', fixture(file)];
    const narrow = succeed(args, { env: { COLUMNS: String(columns) } });
    for (const line of narrow.split('\n')) expect(line.length, line).toBeLessThanOrEqual(columns);
    const letters = (text: string) => [...text.replace(/\s/g, '')].sort().join('');
    expect(letters(narrow)).toBe(letters(succeed(args)));
  }
});

describe('completion', () => {
  /** What bash completes at the end of a line, by the script that it is given. */
  const complete = (words: readonly string[]) => {
    const list = ['lstm-wasm', ...words].map((word) => `'${word}'`).join(' ');
    const script = `source <('${process.execPath}' '${COMMAND}' completion bash)
      COMP_WORDS=(${list}); COMP_CWORD=${words.length}; _lstm_wasm; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
  };

  test('bash knows commands, options and values, and leaves the rest to files', () => {
    expect(complete([''])).toEqual([...COMMANDS, '--help', '--version']);
    expect(complete(['be'])).toEqual(['bench']);
    expect(complete(['inspect', '--j'])).toEqual(['--json']);
    expect(complete(['run', 'x.onnx', '--format', ''])).toEqual(['npy', 'csv', 'json', 'wav']);
    expect(complete(['completion', ''])).toEqual(['bash', 'zsh', 'fish']);
    expect(complete(['inspect', ''])).toEqual(['']);
    expect(succeed(['completion', 'bash'])).toContain('complete -o default');
  });

  test.each(['bash', 'zsh', 'fish'])('%s has every option of every command', (shell) => {
    const script = succeed(['completion', shell]);
    for (const command of COMMANDS) {
      const help = succeed([command, '--help']);
      for (const [, option] of help.matchAll(/^ {2}(?:-\w, )?--([a-z0-9]+)/gm)) {
        if (option !== 'help')
          expect(script).toMatch(new RegExp(shell === 'fish' ? `-l ${option}\\b` : `--${option}\\b`));
      }
    }
    if (shell === 'bash') execFileSync('bash', ['-n'], { input: script });
  });
});

test('a reader that closes the pipe is no error', () => {
  const line = `'${process.execPath}' '${COMMAND}' inspect '${fixture('keras/model.h5')}' | head -c 1; echo " \${PIPESTATUS[0]}"`;
  expect(execFileSync('bash', ['-c', line], { encoding: 'utf8' })).toBe('f 0\n');
});

test('a file that is not there, a folder, and a name that no file can have', () => {
  refuse(['inspect', 'no such\u001b[2J\nfile'], 1, /: no such\\u\{1b\}\[2J file: no such file/);
  refuse(['inspect', fixture('keras')], 1, /is a folder: give a file of it, such as /);
  expect(call(['inspect', '']).status).toBe(1);
});
