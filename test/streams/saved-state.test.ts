import { describe, expect, test } from 'vitest';
import { LSTM, LSTMCell, type LSTMStream, ModelError } from '../../src/index.ts';
import { expectUnchanged, models, someState } from '../support/streams.ts';
import { type Any, count, values } from '../support/tensors.ts';

// The bytes of save(): who takes them, and what is refused.

describe.each(models)('%s', (_, make, { I, h0, c0 }) => {
  describe('a saved state', () => {
    const saver = make().stream();
    saver.setState(someState(h0, c0));
    saver.input.set(values(I));
    saver.step();
    const saved = saver.save();

    test('is the state and no more, in a view with an offset too', () => {
      const stream = make().stream();
      const shifted = new Uint8Array(saved.length + 9).fill(255);
      shifted.set(saved, 3);
      stream.load(shifted.subarray(3, 3 + saved.length));
      expect(stream.getState()).toEqual(saver.getState());
      expect(stream.save()).toEqual(saved);
      // seven header words, h and c, a checksum
      expect(saved.length).toBe(4 * (7 + count(h0) + count(c0) + 1));
      expect(String.fromCharCode(...saved.subarray(0, 4))).toBe('LSTS');
      const copy = saved.slice();
      saver.save().fill(0);
      expect(saver.save()).toEqual(copy);
    });

    test('with any one bit flipped is refused', () => {
      const stream = make().stream();
      stream.setState(someState(h0, c0));
      const before = stream.save();
      for (let bit = 0; bit < 8 * saved.length; bit++) {
        const bytes = saved.slice();
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        let thrown: unknown;
        try {
          stream.load(bytes);
        } catch (error) {
          thrown = error;
        }
        if (!(thrown instanceof ModelError)) expect(thrown, `bit ${bit}`).toBeInstanceOf(ModelError);
      }
      expect(stream.save()).toEqual(before);
    });

    test('cut short, with a byte more, twice, or of zeros is refused', () => {
      const stream = make().stream();
      stream.setState(someState(h0, c0));
      const before = stream.save();
      const longer = new Uint8Array(saved.length + 1);
      longer.set(saved);
      const twice = new Uint8Array(2 * saved.length);
      twice.set(saved);
      twice.set(saved, saved.length);
      const prefixes = Array.from(saved, (__, length) => saved.subarray(0, length));
      for (const bytes of [...prefixes, longer, twice, new Uint8Array(saved.length), saved.subarray(1)]) {
        expect(() => stream.load(bytes), `${bytes.length} bytes`).toThrow(ModelError);
      }
      expect(stream.save()).toEqual(before);
    });

    test('is read from bytes alone', () => {
      const stream = make().stream();
      const wrong = [
        undefined,
        null,
        5,
        'LSTS',
        [...saved],
        saved.buffer,
        new DataView(saved.buffer),
        new Int8Array(saved),
      ];
      for (const value of [...wrong, new Uint8ClampedArray(saved), new Float32Array(9), { length: 3 }] as Any[]) {
        expectUnchanged(
          stream,
          () => stream.load(value),
          TypeError,
          /^LSTMStream: "bytes" expected a Uint8Array, got /,
        );
      }
    });
  });
});

test('a state is taken by models of the same shape only, and the error says what differs', () => {
  const shapes: Record<string, LSTMStream> = {
    LSTM: new LSTM(3, 5).stream(),
    inputSize: new LSTM(4, 5).stream(),
    hiddenSize: new LSTM(3, 6).stream(),
    numLayers: new LSTM(3, 5, { numLayers: 2 }).stream(),
    projSize: new LSTM(3, 5, { projSize: 4 }).stream(),
    cell: new LSTMCell(3, 5).stream(),
  };
  for (const [from, source] of Object.entries(shapes)) {
    source.step();
    for (const [to, target] of Object.entries(shapes)) {
      if (from === to) continue;
      expectUnchanged(target, () => target.load(source.save()), ModelError);
      if (from !== 'LSTM') continue;
      let thrown: Any;
      try {
        target.load(source.save());
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ name: 'ModelError', code: 'wrong-model', path: to });
      expect(thrown.message).toMatch(
        new RegExp(`^LSTMStream: .*${to} expected ${thrown.expected}, got ${thrown.found}$`),
      );
    }
  }
  const [plain, biasless] = [new LSTM(3, 5).stream(), new LSTM(3, 5, { bias: false, batchFirst: true }).stream()];
  plain.step();
  biasless.load(plain.save());
  expect(biasless.getState()).toEqual(plain.getState());
});
