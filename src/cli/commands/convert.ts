import { convertChain } from '../conversion.ts';
import { about, refuseCall } from '../errors.ts';
import { refuseOver, writeWhole } from '../files.ts';
import { type OpenChoices, openModel } from '../open.ts';
import { colour } from '../table.ts';
import { formatBytes, threeDigits } from '../text.ts';

export async function convert(
  path: string,
  out: string,
  options: OpenChoices & { readonly int8?: boolean },
): Promise<void> {
  if (out !== '-' && !/\.safetensors$/i.test(out))
    refuseCall(`OUT has to end with .safetensors, got ${JSON.stringify(out)}`);
  const model = await openModel(path, options);
  refuseOver(out);
  const chain = await about(path, () => model.chain());
  const { bytes, check, error, notes } = about(path, () => convertChain(chain, options.int8 ?? false));
  await writeWhole(out, bytes);
  const say = out === '-' ? process.stderr : process.stdout;
  const modules = [...chain.lstms, ...chain.heads].map(({ name }) => name).join(', ');
  const lines = [
    `wrote ${out === '-' ? 'standard output' : out}: ${modules}, ${formatBytes(bytes.length)}`,
    `checked on a random sequence: ${check}`,
    ...(error === undefined ? [] : [`8-bit weights: outputs differ by ${threeDigits(error)} of the largest at most`]),
    ...notes,
  ];
  say.write(`${lines.map((line, i) => (i === 0 ? colour.green(line) : line)).join('\n')}\n`);
}
