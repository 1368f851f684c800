/**
 * A teacher over the exec protocol, written from docs/teachers.md, that misbehaves as its second argument says.
 * The first is a JSON object that its hello is extended by; the third a file that grows by a byte a request, so that
 * it goes on after a restart. Answers by the first pixel: class `pixel mod classes` has 0.7.
 */
import { Buffer } from "node:buffer";
import { appendFileSync, closeSync, existsSync, statSync, writeSync } from "node:fs";

const [extra = "{}", faults = "{}", counter] = process.argv.slice(2);
const hello = { protocol: 1, classes: 4, ...JSON.parse(extra) };
/** Fault by number of the request, from 1. */
const plan = JSON.parse(faults);
let requests = counter && existsSync(counter) ? statSync(counter).size : 0;

if (plan.start === "die") {
  console.error("no such model: model.joblib");
  process.exit(3);
}
if (plan.start === "print") console.log("Loading the model …");
if (plan.start === "again" && requests > 0) hello.classes++;
if (plan.start === "once" && requests > 0) {
  console.error("out of memory");
  process.exit(4);
}
if (plan.start !== "mute") send(1, Buffer.from(JSON.stringify(hello)));

let input = Buffer.alloc(0);
process.stdin.on("data", (bytes) => {
  input = Buffer.concat([input, bytes]);
  while (input.length >= 8 && input.length >= 8 + input.readUInt32LE(0)) {
    const length = input.readUInt32LE(0);
    const body = input.subarray(8, 8 + length);
    input = input.subarray(8 + length);
    answer(body);
  }
});

function answer(body) {
  requests++;
  if (counter) appendFileSync(counter, ".");
  const [number, count, channels, height, width] = [0, 4, 8, 12, 16].map((at) => body.readUInt32LE(at));
  const size = channels * height * width;
  const fault = plan[requests] ?? plan.always;
  const error = (value) => send(4, Buffer.from(JSON.stringify(value)));
  if (fault === "die") {
    console.error(`request ${requests}: segmentation fault`);
    process.exit(7);
  }
  if (fault === "kill") process.kill(process.pid, "SIGKILL");
  if (fault === "hang") return;
  if (fault === "error") return error({ message: "the GPU is busy", retryAfter: 0.01, charged: false });
  if (fault === "fatal") return error({ message: "the licence has ended", fatal: true });
  if (fault === "oddError") return error({ what: 1 });
  if (fault === "garbage") return writeSync(1, "predicting: 100%|########|\n");
  if (fault === "oversized") return writeSync(1, Buffer.from([0xff, 0xff, 0xff, 0x7f, 3, 0, 0, 0]));
  if (fault === "hello") return send(1, Buffer.from("{}"));
  if (fault === "endStdout") return closeSync(1);
  if (fault === "stderr") for (let line = 0; line < 20; line++) console.error(`warning ${line}`);
  const rows = Array.from({ length: count }, (_, image) => row(body[20 + image * size]));
  if (fault === "few") rows.pop();
  if (fault === "short") for (const own of rows) own.pop();
  if (fault === "nan") rows[0][1] = NaN;
  if (fault === "half") {
    writeSync(1, frame(3, answers(number, rows)).subarray(0, 15));
    process.exit(0);
  }
  if (fault === "stale") return send(3, answers(number - 1, rows));
  send(3, answers(number, rows));
  if (fault === "twice") send(3, answers(number, rows));
}

function row(pixel) {
  const { classes, form } = hello;
  const best = pixel % classes;
  if (form === "label") return [best];
  if (form === "top") return [best, (best + 1) % classes, 0.7, 0.2];
  const probabilities = Array.from({ length: classes }, (_, at) => (at === best ? 0.7 : 0.3 / (classes - 1)));
  return form === "logits" ? probabilities.map((value) => 5 + Math.log(value)) : probabilities;
}

function answers(number, rows) {
  const width = rows[0]?.length ?? 0;
  const body = Buffer.alloc(12 + 4 * rows.length * width);
  for (const [index, value] of [number, rows.length, width].entries()) body.writeUInt32LE(value, 4 * index);
  for (const [index, value] of rows.flat().entries()) body.writeFloatLE(value, 12 + 4 * index);
  return body;
}

function frame(kind, body) {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(kind, 4);
  return Buffer.concat([head, body]);
}

function send(kind, body) {
  const bytes = frame(kind, body);
  for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
}
