import { runProgram } from "../cli/run.js";
import { createBench } from "./program.js";

process.exitCode = await runProgram(createBench, process.argv.slice(2));
