// Prints the count of vitest's JSON report as "N passed, N failed". A test file that does not load counts as a failure.
// Exits with 1 where a test failed, was skipped or none ran.

import { readFileSync } from "node:fs";

let files = [];
try {
  files = JSON.parse(readFileSync(process.argv[2], "utf8")).testResults;
} catch (error) {
  console.log(`no report of the tests: ${error.message}`);
}
const outcomes = files.flatMap(({ status, assertionResults }) => {
  const tests = assertionResults.map((test) => test.status);
  return status === "failed" && !tests.includes("failed") ? [...tests, "failed"] : tests;
});
const passed = outcomes.filter((outcome) => outcome === "passed").length;
const failed = outcomes.filter((outcome) => outcome === "failed").length;
const others = outcomes.length - passed - failed;
if (others > 0) console.log(`${others} tests were left out`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = passed > 0 && failed === 0 && others === 0 ? 0 : 1;
