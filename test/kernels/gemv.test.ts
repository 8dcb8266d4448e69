import { describe, test } from 'vitest';
import { buffer, run } from '../support/canaries.ts';
import { kernels, PANEL } from '../support/kernels.ts';
import { checkProduct, noise, panels } from '../support/panels.ts';
import { numbers, sweep, upTo } from '../support/sweep.ts';

describe('gemv_f32', () => {
  const check = ({ K, count, inPlace }: { K: number; count: number; inPlace: boolean }) => {
    const w = panels(count, K, noise);
    const x = numbers(K);
    const init = numbers(count * PANEL);
    const buffers = {
      w: buffer('in', count * K, PANEL, w),
      x: buffer('in', 1, K, x),
      init: buffer('in', 1, count * PANEL, init),
      z: buffer('out', 1, count * PANEL, inPlace ? init : undefined),
    };
    const { z } = run(buffers, (at) => kernels.gemv_f32(at.w, at.x, K, inPlace ? at.z : at.init, at.z, count));
    checkProduct(z, w, x, K, (_, column) => init[column]!, 1, count * PANEL);
  };

  test('every depth, one to three panels', () => {
    sweep({ K: upTo(2 * PANEL + 1, 0), count: [1, 2, 3], inPlace: [false, true] }, check);
  });

  test('many panels', () => sweep({ K: [100, 101], count: [9], inPlace: [false, true] }, check));
});
