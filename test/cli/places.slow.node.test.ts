import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  linkSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readBytes } from '../../src/cli/files.ts';
import { LSTM } from '../../src/index.ts';
import { serializeSafetensors } from '../../src/safetensors.ts';
import { COMMAND, fixture, refuse, root, succeed, temporaryFolder } from '../support/cli.ts';

// Where bytes come from and go to: pipes, devices, files that are read and written by the same call.

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const lstm = new LSTM(2, 3, { seed: 1 });
const model = at('model.safetensors');
writeFileSync(model, serializeSafetensors(lstm.stateDict()));
writeFileSync(at('in.csv'), '1,2\n3,4\n');

/** Runs a line of bash in which `L` is the command. */
function bash(line: string) {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', `L() { '${process.execPath}' '${COMMAND}' "$@"; }; ${line}`],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: 20_000,
    },
  );
  return { status, stdout, stderr };
}

describe('a pipe by its name', () => {
  test.each(['keras/model.h5', 'pytorch/lstm.pt', 'pytorch/lstm.safetensors', 'onnx-ort/torch_tagger_2l_bi.onnx'])(
    'is read as standard input is: %s',
    (name) => {
      const file = fixture(name);
      const wanted = bash(`cat '${file}' | L inspect -`);
      expect(wanted).toMatchObject({ status: 0, stderr: '' });
      const found = bash(`L inspect <(cat '${file}')`);
      expect(found.stderr).toBe('');
      expect(found.stdout.replace(/\/dev\/fd\/\d+/, 'standard input')).toBe(wanted.stdout);
    },
  );

  test('gives a model and its input in one call', () => {
    const line = bash('L run <(cat model.safetensors) --input <(cat in.csv) --output -');
    expect(line.stderr).toBe('');
    expect(line.stdout).toBe(succeed(['run', model, '--input', at('in.csv'), '--output', '-']));
  });

  test('may be one that gives nothing yet and does not wait', () => {
    // as a terminal's or ssh's may be; Node itself makes the pipes of its children wait
    const hurry = "perl -MFcntl -e 'fcntl(STDIN, F_SETFL, O_NONBLOCK); exec @ARGV'";
    const line = `(sleep 0.5; cat model.safetensors) | ${hurry} '${process.execPath}' '${COMMAND}' inspect -`;
    const found = bash(line);
    expect(found.stderr).toBe('');
    expect(found.stdout).toContain('format      safetensors');
  });

  test('that never ends is refused', () => {
    expect(() => readBytes('/dev/zero', 3e6)).toThrow(/\/dev\/zero: it goes on after 3.00 MB/);
  });
});

describe('an output over a file that is read', () => {
  const amp = at('amp.json');
  copyFileSync(join(root, 'test/fixtures/audio/lstm_1d.json'), amp);
  symlinkSync(amp, at('link.json'));
  linkSync(model, at('hard.safetensors'));
  writeFileSync(at('signal.json'), '[[1],[2]]');
  test.each<[string, string, readonly string[]]>([
    ['the model', 'amp.json', ['run', amp, '-i', at('signal.json'), '-o', amp]],
    ['a link to it', 'amp.json', ['run', amp, '-i', at('signal.json'), '-o', at('link.json')]],
    ['the input', 'in.csv', ['run', model, '-i', at('in.csv'), '-o', `${folder}/./in.csv`]],
    ['the input by name', 'in.csv', ['run', model, '-i', `input=${at('in.csv')}`, '-o', at('in.csv')]],
    ['what is converted', 'model.safetensors', ['convert', model, model, '--int8']],
    ['a hard link to it', 'model.safetensors', ['convert', model, at('hard.safetensors')]],
  ])('is refused: %s', (_, name, args) => {
    const before = readFileSync(at(name));
    refuse(args, 2, /is a file that is read: give the output another name/);
    expect(readFileSync(at(name))).toEqual(before);
  });

  test('is refused for a shard too', () => {
    const shard = at('shard.safetensors');
    copyFileSync(model, shard);
    const map = Object.fromEntries([...lstm.stateDict().keys()].map((key) => [key, 'shard.safetensors']));
    writeFileSync(at('x.safetensors.index.json'), JSON.stringify({ weight_map: map }));
    refuse(['convert', at('x.safetensors.index.json'), shard], 2, /is a file that is read/);
  });
});

test('a file that is replaced keeps its permissions, and nothing stays beside it', () => {
  const out = at('secret.csv');
  writeFileSync(out, '');
  chmodSync(out, 0o600);
  succeed(['run', model, '-i', at('in.csv'), '-o', out]);
  expect(statSync(out).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('a full disk behind standard output is told', () => {
  for (const line of [`L inspect model.safetensors`, `L run model.safetensors -i in.csv -o -`]) {
    expect(bash(`${line} > /dev/full`)).toEqual({
      status: 1,
      stdout: '',
      stderr: 'lstm-wasm: standard output: no space is left\n',
    });
  }
});

test('an empty name is shown', () => {
  refuse(['inspect', ''], 1, /^lstm-wasm: "": no such file/);
});

test('a name of 300,000 letters makes no table of them, and takes no time with their square', () => {
  const weights = lstm.stateDict().get('weight_ih_l0')!;
  const names = [`${'long '.repeat(60_000)}.bias`, ...Array.from({ length: 100 }, (_, i) => `other.${i}`)];
  writeFileSync(at('names.safetensors'), serializeSafetensors(new Map(names.map((name) => [name, weights]))));
  for (const env of ['COLUMNS=40', 'NO_COLOR=1']) {
    const { stdout, status } = bash(`export ${env}; L inspect names.safetensors`);
    expect(status).not.toBeNull();
    expect(stdout).toContain('other.99');
    expect(stdout.length).toBeLessThan(100_000);
  }
});
