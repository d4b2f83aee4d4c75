import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import type { Finding, ReviewCapabilities, Reviewer } from "../../ports/agent.ts";
import { bounded } from "./compaction.ts";
import { converse } from "./loop.ts";
import { reviewOpening } from "./prompts.ts";
import { described, type Finish, withoutNulls, wrongIn } from "./tools.ts";

const TURNS_MAX = 4;
const FINDINGS_MAX = 30;
const DIFF_CHARS_MAX = 120_000;

const FindingsInput = z.strictObject({
  findings: z
    .array(
      z.strictObject({
        path: z.string().max(1_000).default("").describe("the file it is about, if it is about one"),
        text: z.string().trim().min(1).max(1_000),
      }),
    )
    .max(FINDINGS_MAX),
});

const finish: Finish<readonly Finding[]> = {
  told: described("report_findings", "Report what you found; an empty list when there is nothing.", FindingsInput),
  take(args) {
    const parsed = FindingsInput.safeParse(withoutNulls(args));
    return parsed.success ? { handedIn: parsed.data.findings } : { wrong: wrongIn(parsed.error) };
  },
};

/** Reads the change and says what it finds. It has no tool to look further with, and no way to let anything pass. */
export const modelReviewer: Reviewer = {
  async review(can: ReviewCapabilities) {
    const opening = reviewOpening(can.spec, bounded(can.diff, DIFF_CHARS_MAX));
    const ended = await converse(can, opening, [], finish, TURNS_MAX);
    if ("stuck" in ended) throw new Failure("agent/failed", `no findings were handed in: ${ended.stuck}`);
    return ended.handedIn;
  },
};
