import { describe, expect, it } from "vitest";
import { scriptPlanFrom } from "./from-wire.ts";
import { PlanFile } from "./inputs.ts";
import { parse } from "./parse.ts";

describe("a plan file", () => {
  it("may run, write, replace and remove; what is one string is run by a shell", () => {
    const written = {
      explore: [{ run: ["ls", "-a"] }],
      items: [
        {
          id: "mend",
          title: "Mend it",
          repo: "app",
          criterion: "c1",
          do: [
            { run: "npm test && echo ok", network: ["registry.npmjs.org:443"] },
            { run: ["npm", "ci"], cwd: "web", timeout_ms: 5_000 },
            { write: "run.sh", content: "true\n", executable: true },
            { replace: "a.txt", find: "one", with: "two" },
            { remove: "old.txt" },
          ],
          artifacts: ["report.txt"],
        },
        { id: "say", title: "Say it", depends_on: ["mend"], do: [{ remove: "b.txt" }] },
      ],
    };
    expect(scriptPlanFrom(parse(PlanFile, written))).toEqual({
      explore: [{ repo: "", argv: ["ls", "-a"] }],
      items: [
        {
          id: "mend",
          title: "Mend it",
          repo: "app",
          criterion: "c1",
          dependsOn: [],
          acts: [
            {
              act: "run",
              argv: ["/bin/sh", "-c", "npm test && echo ok"],
              cwd: ".",
              network: ["registry.npmjs.org:443"],
              timeoutMs: null,
            },
            { act: "run", argv: ["npm", "ci"], cwd: "web", network: [], timeoutMs: 5_000 },
            { act: "write", path: "run.sh", content: "true\n", executable: true },
            { act: "replace", path: "a.txt", find: "one", with: "two" },
            { act: "remove", path: "old.txt" },
          ],
          artifacts: ["report.txt"],
        },
        {
          id: "say",
          title: "Say it",
          repo: "",
          criterion: null,
          dependsOn: ["mend"],
          acts: [{ act: "remove", path: "b.txt" }],
        },
      ],
    });
  });
});
