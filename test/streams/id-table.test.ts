import { expect, test } from 'vitest';
import { IdTable } from '../../src/nn/id-table.ts';
import { uniforms } from '../support/random.ts';

test('the table of ids is a Map, in whatever order they come and go', () => {
  const random = uniforms(1);
  const table = new IdTable();
  const map = new Map<number, number>();
  let next = 1;
  for (let k = 0; k < 30_000; k++) {
    // up to 300 ids, then down to none, then up again; now and then far apart
    if (Math.floor(k / 600) % 2 ? random() < 0.3 : random() < 0.7) {
      next += random() < 0.1 ? 65_536 : 1;
      table.reserve(map.size + 1);
      table.set(next, k);
      map.set(next, k);
    } else if (map.size) {
      const id = [...map.keys()][Math.floor(random() * map.size)]!;
      table.delete(id);
      map.delete(id);
      expect(table.get(id)).toBe(-1);
    }
    if (k % 50 === 0) expect([...map.keys()].map((id) => table.get(id))).toEqual([...map.values()]);
  }
});
