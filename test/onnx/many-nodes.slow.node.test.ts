import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// Graphs of thousands of small nodes, inputs or outputs, each in a process of its own. Needs dist/.

const root = fileURLToPath(new URL('../..', import.meta.url));

function run(body: string) {
  const program = `
    import { loadOnnx } from 'lstm-wasm/onnx';
    import { onnxFile, tensor } from './scripts/write-onnx.mjs';
    const list = (count, make) => Array.from({ length: count }, (_, i) => make(i));
    const x = { data: Float32Array.of(-1, 2), dims: [1, 2] };
    const chain = (count, name) => onnxFile({
      nodes: list(count, (i) => ({ op: 'Relu', inputs: [i ? name(i - 1) : 'x'], outputs: [name(i)] })),
      initializers: [], inputs: { x: ['N', 2] }, outputs: [name(count - 1)],
    });
    const cpu = (work) => { const start = process.cpuUsage(); work(); return process.cpuUsage(start).user + 1000; };
    const result = (() => { ${body} })();
    console.log(JSON.stringify(result));`;
  const args = ['--expose-gc', '--input-type=module', '--eval', program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

test('8,000 nodes of 65 bytes hold less than three times the file and 8 MiB of heap', () => {
  const { nodeBytes, grew, size } = run(`
    loadOnnx(chain(10, (i) => 'warm' + i)).dispose();
    const file = chain(8000, (i) => '/encoder/layer/relu_' + (10000 + i));
    gc();
    const before = process.memoryUsage().heapUsed;
    const session = loadOnnx(file);
    gc();
    const grew = process.memoryUsage().heapUsed - before;
    session.dispose();
    return { nodeBytes: file.length / 8000, grew, size: file.length };`);
  expect(Math.round(nodeBytes)).toBeLessThanOrEqual(65);
  expect(grew).toBeLessThan(3 * size + 2 ** 23);
});

test('32,000 nodes of 40 bytes load and run', () => {
  const { y, nodeBytes } = run(`
    const file = chain(32000, (i) => 'block.relu' + (10000 + i));
    const session = loadOnnx(file);
    return { y: [...Object.values(session.run({ x }))[0].data], nodeBytes: file.length / 32000 };`);
  expect(y).toEqual([0, 2]);
  expect(nodeBytes).toBeLessThan(45);
});

test.each([
  ['inputs', 'many', 'one'],
  ['outputs', 'one', 'many'],
])('16 times as many %s take 16 times as long to run, not 256 times', (_, inputs, outputs) => {
  const ratios = run(`
    const make = (count) => {
      const names = { many: list(count, (i) => 'a' + i), one: ['a0'] };
      const [inputs, outputs] = [names.${inputs}, names.${outputs}];
      const session = loadOnnx(onnxFile({
        nodes: outputs.slice(inputs.length).map((name) => ({ op: 'Relu', inputs: ['a0'], outputs: [name] })),
        initializers: [], inputs: Object.fromEntries(inputs.map((name) => [name, ['N', 2]])), outputs,
      }));
      const feeds = Object.fromEntries(inputs.map((name) => [name, x]));
      const out = session.run(feeds);
      return () => session.run(feeds, { out });
    };
    const [few, many] = [make(500), make(8000)];
    const round = () => cpu(() => list(5, many)) / cpu(() => list(80, few));
    return list(7, round).sort((a, b) => a - b);`);
  // 1 if it is linear, 16 if it is quadratic
  expect(ratios[3]).toBeLessThan(4);
});
