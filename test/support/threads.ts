import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import threads, { Worker, type WorkerOptions } from "node:worker_threads";
import { inject } from "vitest";
import { coverageEnvironment, isCounting } from "./coverage.ts";

/*
 * For the threads that a test's own process starts: they run the sources, and taking the types out of them each time takes longer than most
 * tests. What was taken out is kept with the bundle of the same sources, and forgotten with it. Where coverage is counted they
 * write down what they ran instead; both together would count wrongly.
 */
const product: string | undefined = inject("product");
if (isCounting()) {
  let beginning = 0;
  // Said only while one begins: it would also be in the environment of each program that is started here.
  threads.Worker = class extends Worker {
    constructor(program: string | URL, options: WorkerOptions = {}) {
      beginning += 1;
      Object.assign(process.env, coverageEnvironment());
      super(program, options);
      this.once("message", () => {
        beginning -= 1;
        if (beginning === 0) for (const name of Object.keys(coverageEnvironment())) delete process.env[name];
      });
    }
  };
  syncBuiltinESMExports();
} else if (product !== undefined) process.env["NODE_COMPILE_CACHE"] = join(product, "threads");
