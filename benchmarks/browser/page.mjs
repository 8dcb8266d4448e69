import { answer, Turn } from '../turn.mjs';

const turn = new Turn({ where: 'browser', assets: '/peers/' });

globalThis.ask = (method, argument) => answer(turn, method, argument);
