import { z } from "zod";
import { parse } from "../../../contract/parse.ts";
import { trouble } from "../../client/trouble.ts";
import { command, option, positional } from "../command.ts";
import { field } from "../escape.ts";
import { decisionLine, readPolicyFile } from "../policy-text.ts";

/** A table of acts with the decision each should get. */
const Table = z.strictObject({
  cases: z
    .array(
      z
        .strictObject({
          command: z.string().min(1).max(100_000).optional(),
          edit: z.string().min(1).max(4096).optional(),
          network: z.array(z.string().min(1).max(300)).max(100).optional(),
          phase: z.enum(["planning", "implementation", "verification"]).optional(),
          planned: z.boolean().optional(),
          expect: z.enum(["allow", "ask", "deny"]),
          /** The rule that has to have decided; without it, any. */
          rule: z.string().min(1).max(200).optional(),
        })
        .refine(
          ({ command: text, edit }) => (text === undefined) !== (edit === undefined),
          "needs one of command and edit",
        ),
    )
    .min(1)
    .max(10_000),
});

export const policyTest = command({
  args: z.strictObject({
    file: positional(z.string().min(1), "FILE", "a table of acts and expected decisions, in YAML"),
    project: option(z.string().min(1).optional(), "PROJECT", "with the policies of this project"),
  }),
  examples: ["agentos policy test policy-tests.yaml --project shop"],
  async run({ file, project }, { api, out, workingDirectory }) {
    const { parse: yaml } = await import("yaml");
    let value: unknown;
    try {
      value = yaml(await readPolicyFile(file, workingDirectory), { maxAliasCount: 100 });
    } catch (error) {
      if (error instanceof Error && error.name === "YAMLParseError")
        throw trouble("input/invalid", `${file} is no YAML: ${error.message.split("\n")[0]}`);
      throw error;
    }
    const { cases } = parse(Table, value, file);
    const results = [];
    for (const { command: text, edit, network, phase, planned, expect, rule } of cases) {
      const decision = await api.explainPolicy({
        ...(text !== undefined && { argv: ["/bin/sh", "-c", text] }),
        ...(edit !== undefined && { edit }),
        ...(network !== undefined && { network }),
        ...(phase !== undefined && { phase }),
        ...(project !== undefined && { project }),
        planned: planned ?? true,
      });
      const act = text ?? `edit ${edit}`;
      results.push({
        act,
        expected: expect,
        decision,
        ok: decision.verdict === expect && (rule ?? decision.rule) === decision.rule,
      });
    }
    const wrong = results.filter(({ ok }) => !ok);
    out.result(
      { cases: results, wrong: wrong.length },
      () => [
        ...wrong.map(
          ({ act, expected, decision }) => `WRONG  ${field(act)}: expected ${expected}, ${decisionLine(decision)}`,
        ),
        `${results.length - wrong.length} as expected, ${wrong.length} not`,
      ],
      () => wrong.map(({ act }) => act),
    );
    if (wrong.length > 0)
      throw trouble(
        "policy/unexpected",
        `${wrong.length} of ${results.length} acts are decided otherwise than expected`,
      );
  },
});
