import { answer } from '../turn.mjs';
import { ModelTurn } from './turn.mjs';

const turn = new ModelTurn({ where: 'browser', assets: '/peers/' });

globalThis.ask = (method, argument) => answer(turn, method, argument);
