import { join } from "node:path";
import { inject } from "vitest";
import { coverageEnvironment, isCounting } from "./coverage.ts";

/*
 * For the threads that a test's own process starts: they run the sources, and taking the types out of them each time takes longer than most
 * tests. What was taken out is kept with the bundle of the same sources, and forgotten with it. Where coverage is counted they
 * write down what they ran instead; both together would count wrongly.
 */
const product: string | undefined = inject("product");
if (isCounting()) Object.assign(process.env, coverageEnvironment());
else if (product !== undefined) process.env["NODE_COMPILE_CACHE"] = join(product, "threads");
