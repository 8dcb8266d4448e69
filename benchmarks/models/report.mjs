import { digits, heading, table } from '../report.mjs';

const US = ['ours', 'ours as ort', 'ours int8'];

/** What `measureModel` gave for many models, as Markdown. */
export function modelsMarkdown(report) {
  const { models } = report;
  const names = [...new Set(models.flatMap(({ results }) => results.map(({ name }) => name)))];
  const timed = names.filter((name) => models.some((model) => resultOf(model, name)?.median));
  const checked = names.filter((name) => models.some((model) => resultOf(model, name)?.error !== undefined));
  const head = (names) => ['model', ...names.map((name) => `${name} ${versionOf(models, name)}`.trim())];
  const rows = (names, cell) =>
    models.map((model) => [
      model.name,
      ...names.map((name) => {
        const result = resultOf(model, name);
        return result?.error === undefined ? '' : cell(result, model);
      }),
    ]);
  const timeOf = (key) => (result, model) => {
    const ours = resultOf(model, 'ours')?.[key];
    const time = result[key];
    if (time === undefined) return result.status;
    return result.name === 'ours' || !ours ? digits(time) : `${digits(time)} (${digits(time / ours)})`;
  };
  const error = ({ error, relative, status }) => {
    const parts = [
      error.toExponential(1),
      relative !== undefined && `(${percent(relative)})`,
      status === 'wrong' && 'wrong',
    ];
    return parts.filter(Boolean).join(' ');
  };
  const goals = goalsOf(report);
  return [
    heading('Whole models', report),
    `${digits(report.load)} programs on average wanted one of ${report.cores} cores when it began.`,
    'Microseconds, median: a frame or block of a stream, its state fed back, or a whole sequence. In brackets: how many times as long as ours.',
    table([head(timed), ...rows(timed, timeOf('median'))]),
    ...(goals.length > 0
      ? ['How many times as long as ours the peers take by their medians, and what is asked for:', table(goals)]
      : []),
    'The fastest tenth, which other programs slow least:',
    table([head(timed), ...rows(timed, timeOf('p10'))]),
    'Largest difference from the expected output; with 8 bits in brackets its root mean square, as a part of that of the output:',
    table([head(checked), ...rows(checked, error)]),
    remarks(models, names),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** Ratios that were asked for there and could be measured, as rows of a table. */
function goalsOf({ models, where: place }) {
  const rows = models.flatMap((model) =>
    model.asked.flatMap(({ us, them, ratio, where }) => {
      const measured = resultOf(model, them)?.median / resultOf(model, us)?.median;
      if (where !== place || Number.isNaN(measured)) return [];
      return [[model.name, us, them, `>= ${ratio}`, measured.toFixed(2), measured >= ratio ? 'reached' : 'missed']];
    }),
  );
  return rows.length > 0 ? [['model', 'we', 'they', 'asked', 'measured', ''], ...rows] : [];
}

/** One line for the terminal. */
export function summary(model) {
  const taking = model.results.filter(({ status }) => status !== 'skipped');
  const parts = taking.map(({ name, status, median, error, relative, reason }) => {
    if (status === 'wrong') return `${name} WRONG by ${relative ? percent(relative) : error.toExponential(1)}`;
    if (median === undefined) return `${name} ${status} (${reason})`;
    const ours = resultOf(model, 'ours')?.median;
    return US.includes(name) || !ours
      ? `${name} ${digits(median)}`
      : `${name} ${digits(median)} (${digits(median / ours)}x)`;
  });
  return `${model.name}: ${parts.join(', ')}`;
}

const percent = (part) => `${digits(100 * part)} %`;

const resultOf = ({ results }, name) => results.find((result) => result.name === name);

const versionOf = (models, name) =>
  models.map((model) => resultOf(model, name)?.version).find((version) => version) ?? '';

/** Who did not take part where, and why. */
function remarks(models, names) {
  return names
    .flatMap((name) => {
      const reasons = new Map();
      for (const model of models) {
        const { reason } = resultOf(model, name) ?? {};
        if (reason) reasons.set(reason, [...(reasons.get(reason) ?? []), model.name]);
      }
      return [...reasons].map(([reason, where]) => {
        const place = where.length === models.length ? 'everywhere' : where.join('; ');
        return `- ${name}, not measured (${place}): ${reason}.`;
      });
    })
    .join('\n');
}
