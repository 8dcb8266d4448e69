// A contestant's process: does what the parent asks, one message after the other.
import { answer, Turn } from './turn.mjs';

const turn = new Turn({ where: 'node' });

process.on('message', async ({ method, argument }) => {
  process.send(await answer(turn, method, argument));
});
