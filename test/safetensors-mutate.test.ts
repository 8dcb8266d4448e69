import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModelError, parseSafetensors } from '../src/safetensors.ts';
import { entry, pack, TYPES } from './support/safetensors-files.ts';

interface Model {
  entries: [name: string, fields: Record<string, unknown>][];
  size: number;
}

/** The rules of the format in their plainest form, on a header that JSON.parse takes. */
function obeysRules(file: Uint8Array): boolean {
  const headerEnd = 8 + new DataView(file.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(8, headerEnd)));
  const owners = new Uint8Array(file.length - headerEnd);
  for (const [name, { dtype, shape, data_offsets }] of Object.entries<ReturnType<typeof entry>>(header)) {
    if (name === '__metadata__') continue;
    const [begin, end] = data_offsets as [number, number];
    const bits = shape.reduce((product, size) => product * size, TYPES[dtype as keyof typeof TYPES]);
    if (bits !== 8 * (end - begin) || end > owners.length) return false;
    for (let i = begin; i < end; i++) owners[i]!++;
  }
  return owners.every((count) => count === 1);
}

const names = ['a', 'b', '', '__proto__', 'é'];
const sizes = [0, 1, 2, 3, 4, -1, 0.5, 2 ** 32, 2 ** 53];
const name = fc.constantFrom(...names);
const pick = fc.nat();

const model: fc.Arbitrary<Model> = fc
  .uniqueArray(fc.tuple(name, fc.constantFrom(...Object.keys(TYPES)), fc.array(fc.nat(3), { maxLength: 3 })), {
    selector: ([name]) => name,
    maxLength: 4,
  })
  .map((tensors) => {
    let size = 0;
    const entries = tensors.map(([name, dtype, shape]): Model['entries'][number] => {
      // An even last size: whole bytes for all types but the 6-bit ones, which get 4.
      const dims = [...shape, dtype.startsWith('F6') ? 4 : 2];
      const begin = size;
      size += dims.reduce((product, n) => product * n, TYPES[dtype as keyof typeof TYPES]) / 8;
      return [name, entry(dtype, dims, begin, size)];
    });
    return { entries, size };
  });

const mutation: fc.Arbitrary<(model: Model) => void> = fc.oneof(
  fc.tuple(pick, fc.constantFrom(...Object.keys(TYPES), 'F33', 1)).map(([i, dtype]) => edit(i, { dtype })),
  fc.tuple(pick, fc.array(fc.constantFrom(...sizes))).map(([i, shape]) => edit(i, { shape })),
  fc
    .tuple(pick, fc.array(fc.nat(40), { minLength: 2, maxLength: 2 }))
    .map(([i, data_offsets]) => edit(i, { data_offsets })),
  fc
    .tuple(pick, fc.constantFrom('dtype', 'shape', 'data_offsets'))
    .map(([i, field]) => edit(i, { [field]: undefined })),
  fc.tuple(pick, name).map(([i, name]) => ({ entries }: Model) => {
    if (entries.length) entries[i % entries.length]![0] = name;
  }),
  fc.tuple(pick, name).map(([i, name]) => ({ entries }: Model) => {
    if (entries.length) entries.push([name, { ...entries[i % entries.length]![1] }]);
  }),
  pick.map((i) => ({ entries }: Model) => {
    entries.splice(i % (entries.length + 1), 1);
  }),
  pick.map(() => ({ entries }: Model) => {
    entries.reverse();
  }),
  fc.constantFrom(-1, 1).map((by) => (model: Model) => {
    model.size = Math.max(0, model.size + by);
  }),
);

function edit(i: number, fields: Record<string, unknown>): (model: Model) => void {
  return ({ entries }) => {
    if (entries.length) Object.assign(entries[i % entries.length]![1], fields);
  };
}

test('one to three changes of a field: a ModelError, or a file that obeys the rules', () => {
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(model, fc.array(mutation, { minLength: 1, maxLength: 3 }), (model, mutations) => {
      for (const mutate of mutations) mutate(model);
      const members = model.entries.map(([name, fields]) => `${JSON.stringify(name)}:${JSON.stringify(fields)}`);
      const file = pack(`{${members}}`, new Uint8Array(model.size));
      try {
        const tensors = parseSafetensors(file);
        accepted++;
        expect([...tensors.keys()]).toEqual(model.entries.map(([name]) => name));
        expect(obeysRules(file)).toBe(true);
      } catch (error) {
        refused++;
        if (!(error instanceof ModelError)) throw error;
      }
    }),
    { numRuns: 5000, seed: 1 },
  );
  expect(accepted).toBeGreaterThan(500);
  expect(refused).toBeGreaterThan(2000);
});

test('one to three changes of a byte of the header', () => {
  const bytes = [...'{}[]",:\\ 0123456789.-+eEtfnu_abFU\0\n']
    .map((char) => char.charCodeAt(0))
    .concat(0x80, 0xc3, 0xff);
  const change = fc.tuple(pick, fc.constantFrom(...bytes), fc.constantFrom('set', 'insert', 'remove'));
  let accepted = 0;
  fc.assert(
    fc.property(model, fc.array(change, { minLength: 1, maxLength: 3 }), ({ entries, size }, changes) => {
      const header = [...new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)))];
      for (const [at, byte, kind] of changes) {
        header.splice(at % header.length, kind === 'insert' ? 0 : 1, ...(kind === 'remove' ? [] : [byte]));
      }
      const file = pack(new Uint8Array(header), new Uint8Array(size));
      try {
        parseSafetensors(file);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        return;
      }
      accepted++;
      expect(obeysRules(file)).toBe(true);
    }),
    { numRuns: 5000, seed: 1 },
  );
  expect(accepted).toBeGreaterThan(100);
});
