import { figure } from '../../../../benchmarks/chart/format.mjs';
import { type Result, timeOf } from './result.ts';
import { SHAPES } from './shapes.ts';

/** The largest stream: what its weights weigh, and what 8 bits give there. Nothing where it was not measured. */
export function remark({ rows }: Pick<Result, 'rows'>): string {
  const index = SHAPES.findLastIndex(({ stream }) => stream);
  const { label, I, H } = SHAPES[index]!;
  const peer = timeOf(rows[index], 'ort-web') ?? timeOf(rows[index], 'ours');
  const small = timeOf(rows[index], 'ours int8');
  if (!peer || !small) return '';
  const megabytes = Math.round((16 * H * (I + H)) / 2 ** 20);
  const against = timeOf(rows[index], 'ort-web') ? 'onnxruntime-web' : 'our float32';
  const ratio = peer.us / small.us;
  const speed =
    ratio >= 1 ? `${figure(ratio)} times as fast as ${against}` : `${figure(1 / ratio)} times as slow as ${against}`;
  return `At ${label} the weights are ${megabytes} MB and come from memory at each step. With 8-bit weights, the ring, that is a quarter, and we are ${speed}.`;
}
