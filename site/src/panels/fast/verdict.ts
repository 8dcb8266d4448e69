import { times } from '../../../../benchmarks/chart/format.mjs';
import { DRAW, standing } from '../../../../benchmarks/chart/time-chart.mjs';
import { type Result, ratioOf, timeOf } from './result.ts';

/** The sentence above the chart: wins, losses and draws against onnxruntime-web, whichever there are. */
export function verdict({ rows, ort }: Pick<Result, 'rows' | 'ort'>): string {
  const ratios = rows.flatMap((row) => ratioOf(row) ?? []);
  const wrong = rows.filter((row) => row['ort-web'] === 'wrong' || row.ours === 'wrong').length;
  if (ratios.length === 0) {
    if (wrong > 0) return `No answers agreed in ${count(wrong, 'row')}: nothing was timed there.`;
    return ort ? 'Nothing is measured yet.' : 'Measured without onnxruntime-web: nothing to compare with.';
  }
  const faster = ratios.filter((ratio) => standing(ratio) === 'faster');
  const slower = ratios.filter((ratio) => standing(ratio) === 'slower');
  const draws = ratios.length - faster.length - slower.length;
  const parts = [
    faster.length > 0 && `faster in ${faster.length} of ${ratios.length}${by(faster)}`,
    slower.length > 0 && `slower in ${slower.length}${faster.length > 0 ? '' : ` of ${ratios.length}`}`,
    draws > 0 && `a draw in ${draws}${faster.length + slower.length > 0 ? '' : ` of ${ratios.length}`}`,
    wrong > 0 && `in ${wrong} the answers differed, and nothing was timed`,
  ].filter((part) => part !== false);
  return `${capital(parts.join('; '))}.`;
}

/** From here on a 95th percentile is far from its median. */
const FAR = 2.5;

/** Says so where other programs had the processor too: in more than a third of the rows ours, or the peer, was interrupted often. */
export function busyNote({ rows }: Pick<Result, 'rows'>): string {
  const spreads = rows.flatMap((row) => {
    const [ours, peer] = [timeOf(row, 'ours'), timeOf(row, 'ort-web')];
    return ours ? Math.max(ours.p95 / ours.us, peer ? peer.p95 / peer.us : 0) : [];
  });
  const far = spreads.filter((spread) => spread > FAR).length;
  return far > spreads.length / 3
    ? 'This machine was busy with other things: run it again before you trust the ratios.'
    : '';
}

/** What a draw is, in words. */
export const DRAW_NOTE = `A draw: within ${100 * DRAW} %.`;

function by(ratios: readonly number[]): string {
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => times(ratio).replace('×', ''));
  return least === most ? `, ${most} times` : `, by ${least} to ${most} times`;
}

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
