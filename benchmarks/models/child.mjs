// The process of a model with all its contestants: does what the parent asks, one message after the other.
import { answer } from '../turn.mjs';
import { ModelTurn } from './turn.mjs';

const turn = new ModelTurn({ where: 'node' });

process.on('message', async ({ method, argument }) => {
  process.send(await answer(turn, method, argument));
});
