import { expect, test } from 'vitest';
import { ModelError, parseSafetensors } from '../src/safetensors.ts';

// The high-water mark of the process, so that what was freed in between counts too.
test.each([
  ['nested arrays', '{"x":{"y":', () => '['],
  ['an unknown field', '{"x":{"y":[', () => '{"a":0},'],
  ['a shape', '{"x":{"dtype":"U8","shape":[', () => '1,'],
  ['offsets', '{"x":{"data_offsets":[', () => '0,'],
  ['white space', '{', () => ' '],
  ['one key', '{"', () => 'k'],
  ['tensors', '{', (i: number) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},`],
  ['metadata', '{"__metadata__":{', (i: number) => `"${i}":"",`],
])('refusing 32 MB of %s takes memory for at most 3 times the file and 8 MiB', (_, start, part) => {
  const file = Buffer.alloc(32e6, part(0));
  file.writeBigUInt64LE(BigInt(file.length - 8));
  let at = 8 + file.write(start, 8);
  if (part.length) for (let i = 0; at < file.length; i++) at += file.write(part(i), at);
  const before = process.resourceUsage().maxRSS;
  expect(() => parseSafetensors(file)).toThrow(ModelError);
  const grown = 1024 * (process.resourceUsage().maxRSS - before);
  expect(grown).toBeLessThan(3 * file.length + 2 ** 23);
});
