import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { makeFormats } from '../../scripts/formats.mjs';
import * as audio from '../../src/audio.ts';
import * as core from '../../src/index.ts';
import * as keras from '../../src/keras.ts';
import * as onnx from '../../src/onnx.ts';
import * as pytorch from '../../src/pytorch.ts';
import * as safetensors from '../../src/safetensors.ts';
import { refusal } from '../support/refusals.ts';

// Attacks that any format could be open to, each tried on all of them through their entry points. What one format alone has
// is in the tests of its reader.

const ascii = (value: string) => new TextEncoder().encode(value);

const fixture = (path: string) => new Uint8Array(readFileSync(new URL(`../fixtures/${path}`, import.meta.url)));

const FORMATS: Record<string, Format> = makeFormats({ core, audio, keras, onnx, pytorch, safetensors });

const NAMES = Object.keys(FORMATS);

interface Format {
  readonly load: (file: any) => unknown;
  readonly small: () => Uint8Array;
  readonly fromBytes?: (bytes: Uint8Array) => unknown;
  readonly alsoReads?: readonly string[];
  readonly ignoresRest?: boolean;
}

/** Reads bytes as a file of a format, and frees what that gives. */
function readAs({ load, fromBytes = (bytes) => bytes }: Format, bytes: Uint8Array): void {
  (load(fromBytes(bytes)) as { dispose?(): void } | undefined)?.dispose?.();
}

describe.each(NAMES)('%s', (name) => {
  const format = FORMATS[name]!;
  const file = new Uint8Array(format.small());
  const load = (bytes: Uint8Array) => readAs(format, bytes);
  const others = NAMES.filter((other) => other !== name);
  const reads = (other: string) => other === name || format.alsoReads?.includes(other);

  test('every prefix is refused, and a byte more unless it means nothing', () => {
    load(file);
    for (let size = 0; size < file.length; size++) {
      // protobuf has no end: a prefix up to a field is a file, which lacks parts that its reader needs
      refusal(() => load(file.subarray(0, size)), `${size} bytes`);
    }
    const longer = new Uint8Array([...file, 0]);
    if (format.ignoresRest) load(longer);
    else refusal(() => load(longer));
  });

  test('every other format is refused', () => {
    for (const other of others) if (!reads(other)) refusal(() => load(FORMATS[other]!.small()), other);
    for (const wrong of ['', ' ', '\0', 'null', '<!DOCTYPE html>', 'version https://git-lfs.github.com/spec/v1\n'])
      refusal(() => load(ascii(wrong)), wrong);
    for (const file of ['dtln/austen-white-hum.wav', 'onnx-ort/index.json']) refusal(() => load(fixture(file)), file);
  });

  test('a file in front of another, or behind it, is refused', () => {
    for (const other of NAMES) {
      const small = FORMATS[other]!.small();
      const front = new Uint8Array([...small, ...file]);
      const behind = new Uint8Array([...file, ...small]);
      // a file that says how long it is ends there
      if (!(reads(other) && FORMATS[other]!.ignoresRest)) refusal(() => load(front), `${other} in front`);
      if (!format.ignoresRest) refusal(() => load(behind), `${other} behind`);
    }
  });
});
