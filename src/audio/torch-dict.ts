import type { Field } from './field.ts';
import { isChain, type StagePlan } from './plans.ts';
import { checkKeys, planLinear, planRecurrent } from './torch-modules.ts';

/**
 * Plans the modules of a PyTorch state dict in the order of the file: PyTorch writes them in the order in which the module made
 * them. A head that stands before its LSTM or GRU comes last if the sizes leave no other way. A state dict tells no activations, so two
 * linear layers one after the other are refused, as are several LSTMs or GRUs whose order was lost.
 */
export function planStateDict(dict: Field): StagePlan[] {
  const plans: StagePlan[] = [];
  const recurrent = new Set<StagePlan>();
  for (const key of dict.keys()) {
    const module = prefixOf(key, 'weight_ih_l0');
    const linear = prefixOf(key, 'weight');
    if (module !== undefined) {
      const plan = planRecurrent(dict, module);
      plans.push(plan);
      recurrent.add(plan);
    } else if (linear !== undefined) plans.push(planLinear(dict, linear));
  }
  if (recurrent.size === 0) dict.refuse('missing-field', 'layers, or the tensors of an LSTM or GRU', 'neither');
  checkKeys(dict, plans);
  const isLinear = (plan: StagePlan) => !recurrent.has(plan);
  const ordered = isChain(plans) ? plans : [...recurrent, ...plans.filter(isLinear)];
  if (isChain(ordered)) {
    checkHeads(ordered, isLinear);
    if (recurrent.size > 1) checkSorted(dict, [...recurrent]);
  }
  return ordered;
}

/** Gives what a key has in front of a tensor's name: 'lstm.' or ''; undefined if it is another tensor. */
function prefixOf(key: string, name: string): string | undefined {
  const prefix = key.slice(0, Math.max(0, key.length - name.length));
  return prefix + name === key && (prefix === '' || prefix.endsWith('.')) ? prefix : undefined;
}

function checkHeads(plans: readonly StagePlan[], isLinear: (plan: StagePlan) => boolean): void {
  const second = plans.find((plan, i) => i > 0 && isLinear(plan) && isLinear(plans[i - 1]!));
  const note =
    ': a state dict tells no activation between them, so give the layers as model_utils.save_model writes them';
  second?.field.refuse('ambiguous', 'an LSTM or GRU between two linear layers', 'none', note);
}

/** Refuses keys that were sorted by their names: PyTorch writes the matrices of a module before its biases. */
function checkSorted(dict: Field, recurrent: readonly StagePlan[]): void {
  const places = new Map(dict.keys().map((key, i) => [key, i]));
  // the keys of a plan are in PyTorch's order
  const sorted = recurrent.find(({ keys }) => places.get(keys[0]!)! > places.get(keys[2]!)!);
  const note = ': sorted names do not tell the order of the modules, so write the file without sort_keys';
  sorted?.field.refuse('ambiguous', "keys in PyTorch's order", 'sorted keys', note);
}
