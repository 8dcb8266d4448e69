// A contestant's process: does what the parent asks, one message after the other.
import { Turn } from './turn.mjs';
import { Unavailable } from './unavailable.mjs';

const turn = new Turn();

process.on('message', async ({ method, argument }) => {
  try {
    process.send({ value: await turn[method](argument) });
  } catch (error) {
    process.send({ error: error.message.split('\n')[0], unavailable: error instanceof Unavailable });
  }
});
