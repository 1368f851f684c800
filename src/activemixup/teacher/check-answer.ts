import { AnswerFault, type Answer } from "./answer.js";

/** How far from 1 the sum of probabilities may lie: f32 and short decimals. */
export const SUM_TOLERANCE = 1e-3;

/** The answer, if it is one probability a class, from 0 up and together 1, within 1e-3; else what is wrong with it. */
export function checkAnswer(answer: Answer, classes: number): Answer {
  if (answer instanceof AnswerFault) return answer;
  if (answer.length !== classes) {
    return new AnswerFault(`${answer.length} probabilities; expected ${classes}, one a class`);
  }
  const wrong = answer.findIndex((value) => !(value >= 0));
  if (wrong >= 0) return new AnswerFault(`the probability of class ${wrong} is ${answer[wrong]}; expected 0 or more`);
  const sum = answer.reduce((total, value) => total + value, 0);
  if (!(Math.abs(sum - 1) <= SUM_TOLERANCE)) {
    return new AnswerFault(`the probabilities sum to ${sum}; expected 1, within ${SUM_TOLERANCE}`);
  }
  return answer;
}
