import { about, refusal } from '../errors.ts';
import { sizeOf } from '../files.ts';
import { formatOptions } from '../lstm-options.ts';
import type { Model } from '../model.ts';
import { type OpenChoices, openModel } from '../open.ts';
import { colour, drawFacts, drawTable } from '../table.ts';
import { formatBytes, formatCount, safeJson } from '../text.ts';

/** Shows what is in a file. A file that is wrong ends with status 1, after what could be read of it. */
export async function inspect(path: string, options: OpenChoices & { readonly json?: boolean }): Promise<void> {
  const model = await openModel(path, options);
  const size = sizeOf(path);
  const memory = model.problem ? undefined : about(path, () => model.memory());
  process.stdout.write(`${options.json ? safeJson(jsonOf(model, size, memory)) : textOf(path, model, size, memory)}\n`);
  if (model.problem?.isBad) throw refusal(path, model.problem.message);
}

function jsonOf(model: Model, size: number | undefined, memory: number | undefined): unknown {
  return {
    format: model.format,
    facts: Object.fromEntries(model.facts),
    runs: model.problem === undefined,
    why: model.problem?.message,
    parameters: model.parameters,
    fileBytes: size,
    memoryBytes: memory,
    ...model.details,
    lstms: model.lstms.map(({ name, options, why, initialState }) => ({
      name,
      options,
      torch: why === undefined,
      why,
      initialState: initialState !== undefined,
    })),
  };
}

function textOf(path: string, model: Model, size: number | undefined, memory: number | undefined): string {
  const { problem } = model;
  const facts: (readonly [string, string])[] = [
    ['file', path === '-' ? 'standard input' : path],
    ['format', model.format],
    ...model.facts,
  ];
  if (model.parameters > 0) facts.push(['parameters', formatCount(model.parameters)]);
  const sizes = [
    size === undefined ? '' : `${formatBytes(size)} in the file`,
    memory ? `${formatBytes(memory)} ready to run` : '',
  ];
  facts.push(['size', sizes.filter(Boolean).join(', ') || '?']);
  const isState = model.format.startsWith('saved state');
  const answer = problem ? (isState ? problem.message : `no: ${problem.message}`) : 'yes';
  const text = [drawFacts([...facts, ['runs', answer]])];
  const mark = problem ? colour.yellow : colour.green;
  text[0] = text[0]!.replace(/(?<=^\S*runs .*)\b(yes|no)(?=$|:)/m, (word) => mark(word));
  if (model.lstms.length > 0) {
    const rows = model.lstms.map(({ name, options, why, initialState }) => [
      name,
      [
        formatOptions(options),
        initialState ? 'starts with a state of its own' : '',
        why && !problem ? `not an nn.LSTM: ${why}` : '',
      ]
        .filter(Boolean)
        .join('; ') || 'not readable',
    ]);
    text.push(section('LSTMs', drawTable([{ title: 'name' }, { title: 'options' }], rows)));
  }
  for (const { title, columns, rows } of model.listings) {
    if (rows.length > 0) text.push(section(title, drawTable(columns, rows)));
  }
  return text.join('\n\n');
}

function section(title: string, body: string): string {
  return `${colour.bold(title)}\n${body}`;
}
