import type { Field } from './field.ts';
import type { AudioModelParts } from './model.ts';
import { checkChain } from './plans.ts';
import { readSampleRate } from './sample-rate.ts';
import { checkKeys, planLinear, planRecurrent } from './torch-modules.ts';

export const GUITARML_MODELS = ['SimpleRNN'] as const;
export const GUITARML_UNITS = ['LSTM', 'GRU'] as const;

const UNIT_NOTE = ': no other recurrent unit is read';

/**
 * Reads the JSON of GuitarML's trainers (SimpleRNN of Automated-GuitarAmpModelling). `state_dict` holds an nn.LSTM or nn.GRU `rec` and an
 * nn.Linear `lin` on its last layer, whose sizes `model_data` declares; with `skip` the input is added to the output. Inputs
 * after the first are knobs.
 */
export function readGuitarML(who: string, file: Field): AudioModelParts {
  const data = file.get('model_data');
  data.get('model').oneOf(GUITARML_MODELS);
  const unit = data.get('unit_type').oneOf(GUITARML_UNITS, UNIT_NOTE) === 'GRU' ? 'gru' : 'lstm';
  const skip = data.get('skip').oneOf([0, 1, false, true]);
  data.get('output_size').oneOf([1]);
  const dict = file.get('state_dict');
  const plans = [planRecurrent(dict, 'rec.', unit), planLinear(dict, 'lin.')] as const;
  checkChain(plans);
  const [rec, lin] = plans;
  checkSize(data.get('input_size'), rec.inputSize);
  checkSize(data.get('hidden_size'), rec.outputSize);
  checkSize(data.get('num_layers'), rec.keys.length / 4);
  // bias_fl is about the Linear alone: the recurrent module always has its biases
  const hasBias = lin.keys.length === 2;
  if (data.has('bias_fl')) data.get('bias_fl').oneOf(hasBias ? [true, 1] : [false, 0]);
  checkKeys(dict, plans);
  return {
    who,
    sampleRate: readSampleRate(data, true) ?? readSampleRate(file, true),
    stages: plans.map(({ parts }) => parts),
    skip: Boolean(skip),
  };
}

function checkSize(declared: Field, found: number): void {
  if (declared.size() !== found) declared.refuse('size-mismatch', `${found}, the size of the weights`, declared.value);
}
