import { describe, expect, test } from 'vitest';
import { loadOnnx } from '../../src/onnx.ts';
import { graphProto, message, modelFile, type NodeSpec, onnxFile, tensorProto } from '../support/onnx-files.ts';
import { floats, refused, relu, valid } from '../support/onnx-refusals.ts';
import { refusal } from '../support/refusals.ts';

describe('graphs', () => {
  const branch = graphProto({
    nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['inner'] }],
    outputs: { inner: undefined },
  });
  const choose = (attributes: NodeSpec['attributes']): NodeSpec => ({
    op: 'If',
    name: 'if',
    inputs: ['yes'],
    attributes: attributes!,
  });
  const cond = { inputs: { x: [2], yes: [] }, types: { yes: 9 } };
  const a = tensorProto('a', [2], floats(1, 2));

  test.each<[string, Uint8Array, RegExp]>([
    [
      'no graph',
      message((w) => [w.tag(1, 0).int64(8), w.tag(8, 2).bytes(message((v) => v.tag(2, 0).int64(13)))]),
      /model\.graph: expected a graph, got none/,
    ],
    [
      'two graphs',
      new Uint8Array([...onnxFile(valid), ...message((w) => w.tag(7, 2).bytes(graphProto(valid)))]),
      /expected one graph, got two/,
    ],
    [
      'no operator set',
      message((w) => [w.tag(1, 0).int64(8), w.tag(7, 2).bytes(graphProto(valid))]),
      /expected an operator set, got none/,
    ],
    [
      'an operator set twice',
      new Uint8Array([...onnxFile(valid), ...message((w) => w.tag(8, 2).bytes(message((v) => v.tag(2, 0).int64(13))))]),
      /each domain once, got "" twice/,
    ],
    [
      'no IR version',
      message((w) => [w.tag(7, 2).bytes(graphProto(valid)), w.tag(8, 2).bytes(message((v) => v.tag(2, 0).int64(13)))]),
      /ir_version: expected a version/,
    ],
    ['a node without an operator', onnxFile({ nodes: [{ op: '' }] }), /graph\.node\[0\]: expected op_type, got none$/],
    [
      'an input that is not there',
      onnxFile({ nodes: [{ op: 'Relu', inputs: ['nowhere'] }] }),
      /node\[0\] \(Relu\): expected an input that was computed before, got "nowhere"/,
    ],
    [
      'a node before its input',
      onnxFile({
        nodes: [
          { op: 'Relu', inputs: ['b'] },
          { op: 'Relu', inputs: ['x'], outputs: ['b'] },
        ],
        inputs: { x: [1] },
      }),
      /computed before, got "b"/,
    ],
    ['a node that reads itself', onnxFile({ nodes: [{ op: 'Relu', inputs: ['y'] }] }), /computed before, got "y"/],
    [
      'an output that is not there',
      onnxFile({ ...valid, outputs: { z: undefined } }),
      /graph\.output\[0\]: expected an input that was computed before, got "z"/,
    ],
    ['no output', onnxFile({ ...valid, outputs: {} }), /graph\.output: expected an output, got none/],
    ['a name given twice', onnxFile({ nodes: [relu, relu], inputs: { x: [2] } }), /each name once, got "y" twice$/],
    [
      'an initializer twice',
      onnxFile({ ...valid, initializers: [a, a] }),
      /initializer\[1\]: expected each name once, got "a" twice/,
    ],
    [
      'an initializer without a name',
      onnxFile({ ...valid, initializers: [tensorProto('', [1], floats(1))] }),
      /expected a name, got none/,
    ],
    [
      'too few inputs',
      onnxFile({ nodes: [{ op: 'Add', inputs: ['x'] }], inputs: { x: [1] } }),
      /\(Add\): inputs expected 2, got 1$/,
    ],
    [
      'an input left out',
      onnxFile({ nodes: [{ op: 'Add', inputs: ['', 'x'] }], inputs: { x: [1] } }),
      /\(Add\): expected input 0, got none/,
    ],
    ...['Min', 'Max', 'Concat'].map((op): [string, Uint8Array, RegExp] => [
      `an input of ${op} left out`,
      onnxFile({ nodes: [{ op, inputs: ['x', '', 'x'], attributes: { axis: 0 } }], inputs: { x: [1] } }),
      /expected input 1, got none/,
    ]),
    [
      'too many outputs',
      onnxFile({ nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['y', 'z'] }], inputs: { x: [1] } }),
      /\(Relu\): outputs expected 1, got 2$/,
    ],
    [
      'a custom operator',
      onnxFile({ nodes: [{ op: 'Evil', domain: 'com.microsoft', name: 'n', inputs: ['x'] }], inputs: { x: [1] } }),
      /not supported: com\.microsoft\.Evil \("n"\)/,
    ],
    [
      'an attribute of the wrong kind',
      onnxFile({ nodes: [{ op: 'Softmax', inputs: ['x'], attributes: { axis: 'last' } }], inputs: { x: [1] } }),
      /attribute axis expected an integer, got "last"/,
    ],
    [
      'an axis that is not there',
      onnxFile({ nodes: [{ op: 'Concat', inputs: ['a'], attributes: { axis: 5 } }], initializers: [a] }),
      /axis expected an integer from -1 to 0, got 5/,
    ],
    [
      'an If without a branch',
      onnxFile({ nodes: [choose({ then_branch: { graph: branch } })], ...cond }),
      /node "if" \(If\): attribute else_branch expected a graph, got none$/,
    ],
    [
      'a branch that is no graph',
      onnxFile({ nodes: [choose({ then_branch: 1, else_branch: 2 })], ...cond }),
      /attribute then_branch expected a graph, got 1$/,
    ],
    [
      'a branch of two outputs',
      onnxFile({
        nodes: [{ ...choose({ then_branch: { graph: branch }, else_branch: { graph: branch } }), outputs: ['y', 'z'] }],
        ...cond,
      }),
      /then_branch expected no inputs and 2 outputs, got 0 and 1/,
    ],
    [
      'an input of strings',
      onnxFile({ nodes: [relu], inputs: { x: [1] }, types: { x: 8 } }),
      /type of "x" expected float32, int64, int32, int8, uint8 or bool, got string$/,
    ],
    [
      'a negative size of an input',
      onnxFile({ nodes: [relu], inputs: { x: [-1] } }),
      /shape: at byte \d+ expected a size, got -1/,
    ],
    [
      'a sparse initializer',
      modelFile(
        message((w) => w.tag(15, 2).bytes(new Uint8Array(0))),
        13,
      ),
      /sparse_initializer: expected dense tensors, got a sparse one$/,
    ],
  ])('%s', (_, file, message) => refused(file, message));

  test('names such as __proto__ and constructor are ordinary names', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'x'.repeat(1_000_000)]) {
      const session = loadOnnx(
        onnxFile({
          nodes: [{ op: 'Add', name, inputs: [name, 'a'], outputs: [`${name}!`] }],
          inputs: Object.fromEntries([[name, [2]]]),
          outputs: Object.fromEntries([[`${name}!`, [2]]]),
          initializers: [a],
        }),
      );
      const results = session.run(new Map([[name, { data: floats(1, 1), dims: [2] }]]));
      expect(Object.keys(results)).toEqual([`${name}!`]);
      expect(results[`${name}!`]!.data).toEqual(floats(2, 3));
      session.dispose();
    }
    refused(onnxFile({ nodes: [{ op: '__proto__', inputs: ['x'] }], inputs: { x: [1] } }), /not supported: __proto__/);
  });

  test('refuses graphs nested too deep', () => {
    let graph = branch;
    for (let depth = 0; depth < 8; depth++) {
      const inner = { then_branch: { graph }, else_branch: { graph } };
      if (depth > 3) Object.assign(inner, { else_branch: { graph: branch } });
      graph = graphProto({ nodes: [{ ...choose(inner), outputs: ['out'] }], outputs: { out: undefined } });
    }
    const nested = (inner: Uint8Array) =>
      onnxFile({ nodes: [choose({ then_branch: { graph: inner }, else_branch: { graph: branch } })], ...cond });
    const session = loadOnnx(nested(graph));
    const yes = { data: Uint8Array.of(1), dims: [] };
    expect(session.run({ yes, x: { data: floats(3, 4), dims: [2] } }).y!.data).toEqual(floats(3, 4));
    session.dispose();
    for (let depth = 0; depth < 1000; depth++) {
      graph = graphProto({ nodes: [choose({ then_branch: { graph } })] });
    }
    refused(nested(graph), /at most 32 messages inside one another/, 'too-deep');
  });
});

describe('huge sizes that a file asks for', () => {
  const int = (name: string, ...values: number[]) =>
    tensorProto(name, [values.length], BigInt64Array.from(values, BigInt));
  const shapes: Record<string, [NodeSpec, Uint8Array[]]> = {
    ConstantOfShape: [{ op: 'ConstantOfShape', inputs: ['s'] }, [int('s', 2 ** 16, 2 ** 15)]],
    'ConstantOfShape with int64': [
      { op: 'ConstantOfShape', inputs: ['s'], attributes: { value: tensorProto('', [1], BigInt64Array.of(1n)) } },
      [int('s', 2 ** 30)],
    ],
    Expand: [{ op: 'Expand', inputs: ['x', 's'] }, [int('s', 2 ** 30, 1)]],
    Tile: [{ op: 'Tile', inputs: ['x', 's'] }, [int('s', 2 ** 30)]],
    Pad: [{ op: 'Pad', inputs: ['x', 's'] }, [int('s', 2 ** 30, 2 ** 30)]],
    Range: [{ op: 'Range', inputs: ['a', 'b', 'c'] }, [int('a', 0), int('b', 2 ** 40), int('c', 1)]],
    'a product': [{ op: 'MatMul', inputs: ['big', 'big'] }, [int('s', 3000, 3000)]],
  };
  for (const [name, [node, initializers]] of Object.entries(shapes)) {
    test(name, () => {
      const big: NodeSpec[] = name === 'a product' ? [{ op: 'ConstantOfShape', inputs: ['s'], outputs: ['big'] }] : [];
      const session = loadOnnx(
        onnxFile({ nodes: [...big, { ...node, name: 'large' }], inputs: { x: [2] }, initializers }),
      );
      const error = refusal(() => session.run({ x: { data: floats(1, 2), dims: [2] } }));
      expect(error.message).toMatch(/node "large" .* expected work in proportion to its inputs and weights/);
      session.dispose();
    });
  }
});
