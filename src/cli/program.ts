import { Command, InvalidArgumentError, Option } from 'commander';
import type { BenchOptions } from './commands/bench.ts';
import type { RunOptions } from './commands/run.ts';
import type { TraceOptions } from './commands/trace.ts';
import { FORMATS } from './values/write.ts';

/** The version of the package, which the build puts here. */
declare const VERSION: string;

const FILE = 'the model: its content tells the format; - is standard input';

/** Collects an option that may be given several times. */
const collect = (value: string, before: readonly string[] | undefined): string[] => [...(before ?? []), value];

function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

function toSteps(text: string): number {
  const value = toNumber(text);
  if (!Number.isInteger(value) || value < 1 || value > 1e6) throw new InvalidArgumentError('Expected 1 to 1000000.');
  return value;
}

const collectNumber = (text: string, before: readonly number[] | undefined): number[] => [
  ...(before ?? []),
  toNumber(text),
];

const examples = (...lines: readonly string[]) => `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;

const key = () =>
  new Option('--key <key>', 'the state dict in a PyTorch checkpoint that holds more: model, or ckpt.model');
const weights = () => new Option('--weights <file>', 'the .h5 file of weights for an architecture of Keras in JSON');
const set = () => new Option('--set <name=number>', 'fill an input with a number; may be repeated').argParser(collect);

/** Makes the commands. What a command does is loaded when it runs. */
export function makeProgram(): Command {
  const program = new Command('lstm-wasm')
    .description('Shows what is in a model file, converts it, runs it and measures it.')
    .usage('COMMAND FILE [options]')
    .version(VERSION, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    // errors are written by main.ts, in one line
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {} })
    .addHelpText(
      'after',
      `${examples(
        'npx lstm-wasm inspect model.onnx',
        'npx lstm-wasm convert model.pt model.safetensors --int8',
        'npx lstm-wasm run amp.nam --input dry.wav --output wet.wav',
        'npx lstm-wasm bench model.safetensors',
        'npx lstm-wasm trace model.pt --input steps.csv --svg gates.svg',
      )}
Formats: safetensors and its index, PyTorch (.pt, .pth, .bin), ONNX, Keras (.keras, .h5),
TensorFlow.js (model.json), Neural Amp Modeler, RTNeural, GuitarML, saved states.
Exit status: 0; 1 if a file is bad or does not fit; 2 if the call is wrong.`,
    );
  program
    .command('inspect')
    .description('show format, layers, LSTMs, sizes, and whether it runs')
    .argument('<file>', FILE)
    .option('--json', 'print JSON')
    .addOption(key())
    .addOption(weights())
    .addHelpText(
      'after',
      examples(
        'npx lstm-wasm inspect silero_vad.onnx',
        'npx lstm-wasm inspect model.pt --json',
        'cat model.h5 | npx lstm-wasm inspect -',
      ),
    )
    .action(async (file: string, options) => (await import('./commands/inspect.ts')).inspect(file, options));
  program
    .command('convert')
    .description("write LSTMs and linear layers behind them as safetensors with PyTorch's keys, and check the answers")
    .argument('<file>', FILE)
    .argument('<out>', 'the file to write, which ends with .safetensors; - is standard output')
    .option('--int8', 'write 8-bit weights, a quarter of the size')
    .addOption(key())
    .addOption(weights())
    .addHelpText(
      'after',
      examples(
        'npx lstm-wasm convert model.h5 model.safetensors',
        'npx lstm-wasm convert checkpoint.pt small.safetensors --key model --int8',
      ),
    )
    .action(async (file: string, out: string, options) =>
      (await import('./commands/convert.ts')).convert(file, out, options),
    );
  program
    .command('run')
    .description('run a model on real input')
    .argument('<file>', FILE)
    .addOption(
      new Option('-i, --input <file>', '.npy, .csv (a row a step), .json or .wav; NAME=FILE for one of several inputs')
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .option('-o, --output <file>', 'its ending tells the format: .npy, .csv, .json, .wav; - is standard output')
    .addOption(new Option('--format <format>', 'the format of the output, whatever its ending').choices(FORMATS))
    .option('--pick <name>', 'the output to write, of several; .json has all')
    .addOption(set())
    .addOption(new Option('--knob <number>', 'a knob of an effect; repeated for each').argParser(collectNumber))
    .option('--lstm <name>', 'the LSTM of a state dict to run alone')
    .option('--head <names>', 'linear layers of a state dict to run behind it, joined by commas, or none')
    .option('--int8', 'with 8-bit weights')
    .option('--plot', 'draw the output')
    .addOption(key())
    .addOption(weights())
    .addHelpText(
      'after',
      examples(
        'npx lstm-wasm run model.safetensors --input steps.csv --output out.csv',
        'npx lstm-wasm run amp.nam --input dry.wav --output wet.wav',
        'npx lstm-wasm run model.onnx --input x=x.npy --set h0=0 --set c0=0 --plot',
        'cat steps.csv | npx lstm-wasm run model.pt --input - --output - > out.csv',
      ),
    )
    .action(async (file: string, options: RunOptions) => (await import('./commands/run.ts')).run(file, options));
  program
    .command('bench')
    .description('measure a step, a sequence and a run, with float32 and 8-bit weights')
    .argument('<file>', FILE)
    .addOption(new Option('--steps <count>', 'steps of the sequence').argParser(toSteps).default(100))
    .option('-i, --input <file>', 'measure the whole model on this input')
    .addOption(set())
    .option('--json', 'print JSON')
    .addOption(key())
    .addOption(weights())
    .addHelpText('after', examples('npx lstm-wasm bench model.onnx', 'npx lstm-wasm bench model.pt --steps 1000'))
    .action(async (file: string, options: BenchOptions) => (await import('./commands/bench.ts')).bench(file, options));
  program
    .command('trace')
    .description('show the gates and states of LSTMs over time')
    .argument('<file>', FILE)
    .addOption(
      new Option(
        '-i, --input <file>',
        'the input of an ONNX or Keras model, of other files that of the LSTM: .npy, .csv (a row a step), .json or .wav; NAME=FILE for one of several',
      )
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .addOption(set())
    .option('--lstm <name>', 'the LSTM, of several')
    .option('-o, --output <file>', 'write values: its ending tells the format, .json has all of them')
    .addOption(new Option('--format <format>', 'the format of the output, whatever its ending').choices(FORMATS))
    .option('--pick <name>', 'the value to write: 0.f, 0.reverse.f, or NODE.f; default c of the last layer')
    .option('--svg <file>', 'draw a layer as heat maps: time to the right, a unit a row')
    .addOption(new Option('--layer <number>', 'the layer to draw, from 0; default the last').argParser(toNumber))
    .addOption(key())
    .addOption(weights())
    .addHelpText(
      'after',
      examples(
        'npx lstm-wasm trace model.pt --input steps.csv',
        'npx lstm-wasm trace model.onnx --input x.npy --svg gates.svg --lstm /rnn/LSTM',
        'npx lstm-wasm trace model.safetensors --input steps.csv --output gates.json',
      ),
    )
    .action(async (file: string, options: TraceOptions) => (await import('./commands/trace.ts')).trace(file, options));
  program
    .command('completion')
    .description('print the script that completes commands, options and files in a shell')
    .addArgument(program.createArgument('<shell>', 'the shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', examples('source <(lstm-wasm completion bash)', 'lstm-wasm completion fish | source'))
    .action(async (shell: string) => (await import('./commands/completion.ts')).completion(program, shell));
  return program;
}
