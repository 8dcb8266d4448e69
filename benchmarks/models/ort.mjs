/**
 * A model in onnxruntime, or in what has its API.
 * @param {{ ort: object, version: string, options: object }} runtime
 * @param {import('./list.mjs').Part} part
 * @returns {Promise<import('./contestants.mjs').Opened>}
 */
export async function openOrt({ ort: { InferenceSession, Tensor }, version, options }, part) {
  const session = await InferenceSession.create(await part.onnx(), options);
  const zeros = (dims) => new Tensor('float32', new Float32Array(dims.reduce((product, size) => product * size)), dims);
  const { input, constants, states, outputs } = part;
  const feeds = { [input.name]: zeros(input.dims) };
  for (const [name, { type, data, dims }] of Object.entries(constants)) feeds[name] = new Tensor(type, data, dims);
  for (const [name, { dims }] of Object.entries(states)) feeds[name] = zeros(dims);
  const x = feeds[input.name].data;
  const fedBack = Object.entries(states).map(([name, { from }]) => [name, from]);
  return {
    version,
    async step(frame) {
      x.set(frame);
      const results = await session.run(feeds);
      for (const [name, from] of fedBack) feeds[name] = results[from];
      return outputs.map((name) => results[name].data);
    },
  };
}
