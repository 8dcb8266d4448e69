import { describe, expect, test } from 'vitest';
import { loadOnnx, type OnnxFeed } from '../../src/onnx.ts';
import { type Attribute, graphProto, type NodeSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';

const floats = (...values: number[]) => Float32Array.from(values);
const vector = (...values: number[]): OnnxFeed => ({ data: floats(...values), dims: [values.length] });

describe('If', () => {
  const graph = (name: string, op: string) =>
    graphProto({ nodes: [{ op, name, inputs: ['a', 'c'], outputs: ['inner'] }], outputs: { inner: undefined } });
  const load = (thenOp: string, elseOp: string) =>
    loadOnnx(
      onnxFile({
        nodes: [
          { op: 'Abs', inputs: ['x'], outputs: ['a'] },
          {
            op: 'If',
            inputs: ['yes'],
            attributes: { then_branch: { graph: graph('t', thenOp) }, else_branch: { graph: graph('e', elseOp) } },
          },
        ],
        inputs: { x: [2], yes: [] },
        types: { yes: 9 },
        initializers: [tensorProto('c', [2], floats(3, 4))],
      }),
    );
  const yes = (value: number): OnnxFeed => ({ data: Uint8Array.of(value), dims: [] });

  test('runs one branch, which sees the names outside', () => {
    const session = load('Add', 'Mul');
    expect(session.run({ x: vector(-1, 2), yes: yes(1) }).y!.data).toEqual(floats(4, 6));
    expect(session.run({ x: vector(-1, 2), yes: yes(0) }).y!.data).toEqual(floats(3, 8));
    session.dispose();
  });

  test('an initializer of a branch may have the name of an outer value, the output of its node may not', () => {
    const own = (nodes: NodeSpec[], initializers: Uint8Array[] = []) => ({
      graph: graphProto({ nodes, outputs: { inner: undefined }, initializers }),
    });
    const add = { op: 'Add', inputs: ['x', 'c'], outputs: ['inner'] };
    const load = (thenBranch: { graph: Uint8Array }) =>
      loadOnnx(
        onnxFile({
          nodes: [
            { op: 'If', inputs: ['yes'], attributes: { then_branch: thenBranch, else_branch: own([add]) } },
            { op: 'Add', inputs: ['x', 'c'], outputs: ['z'] },
          ],
          inputs: { x: [2], yes: [] },
          types: { yes: 9 },
          outputs: { y: undefined, z: undefined },
          initializers: [tensorProto('c', [2], floats(3, 4))],
        }),
      );
    const session = load(own([add], [tensorProto('c', [1], floats(100))]));
    for (const [value, expected] of [
      [1, floats(101, 102)],
      [0, floats(4, 6)],
    ] as const) {
      const { y, z } = session.run({ x: vector(1, 2), yes: yes(value) });
      expect([y!.data, z!.data]).toEqual([expected, floats(4, 6)]);
    }
    session.dispose();
    const hiding = own([{ op: 'Neg', inputs: ['x'], outputs: ['c'] }, add]);
    expect(() => load(hiding)).toThrow(/then_branch: expected each name once, got "c" twice$/);
  });

  test('runs an If in an If, branches of different shapes, a branch without nodes, and a condition known at load', () => {
    const branch = (nodes: NodeSpec[], output: string) => ({
      graph: graphProto({ nodes, outputs: Object.fromEntries([[output, undefined]]) }),
    });
    const choose = (condition: string, output: string, yesBranch: Attribute, noBranch: Attribute): NodeSpec => ({
      op: 'If',
      inputs: [condition],
      outputs: [output],
      attributes: { then_branch: yesBranch, else_branch: noBranch },
    });
    const inner = choose(
      'no',
      'chosen',
      branch([], 'a'),
      branch([{ op: 'Add', inputs: ['a', 'x'], outputs: ['sum'] }], 'sum'),
    );
    const session = loadOnnx(
      onnxFile({
        nodes: [
          { op: 'Abs', inputs: ['x'], outputs: ['a'] },
          choose(
            'yes',
            'y',
            branch([{ op: 'Not', inputs: ['yes'], outputs: ['no'] }, inner], 'chosen'),
            branch([{ op: 'Unsqueeze', inputs: ['a', 'zero'], outputs: ['wide'] }], 'wide'),
          ),
          { op: 'Equal', inputs: ['zero', 'zero'], outputs: ['known'] },
          choose(
            'known',
            'z',
            branch([{ op: 'Shape', inputs: ['a'], outputs: ['dims'] }], 'dims'),
            branch([{ op: 'MatMul', inputs: ['a', 'zero'], outputs: ['never'] }], 'never'),
          ),
        ],
        inputs: { x: [2], yes: [] },
        types: { yes: 9, z: 7 },
        outputs: { y: undefined, z: undefined },
        initializers: [tensorProto('zero', [1], BigInt64Array.of(0n))],
      }),
    );
    const results = [1, 0].map((value) => session.run({ x: vector(-1, 2), yes: yes(value) }));
    expect(results.map(({ y }) => [y!.dims, y!.data])).toEqual([
      [[2], floats(0, 4)],
      [[1, 2], floats(1, 2)],
    ]);
    for (const { z } of results) expect(z).toEqual({ type: 'int64', dims: [1], data: BigInt64Array.of(2n) });
    session.dispose();
  });

  test('refuses an unsupported operator at load, in either branch', () => {
    expect(() => load('Add', 'Unique')).toThrow(/not supported: Unique \("e"\)/);
  });
});
