import { Failure } from "../domain/failure.ts";
import type { CommandResult, PlanningCapabilities } from "../ports/agent.ts";
import type { Desk } from "../ports/broker.ts";
import { confine, insideOf, workspaceMounts } from "./confine.ts";
import { type BrokerDependencies, type Pass, plainly } from "./deps.ts";
import { inputMounts } from "./inputs.ts";
import { readCapabilities } from "./reading.ts";

/** Looking, and nothing else: mounts are read-only, there is no network, and no capability that writes is handed over. */
export function planningCapabilities(deps: BrokerDependencies, desk: Desk, pass: Pass): PlanningCapabilities {
  return {
    spec: desk.spec,
    bases: desk.bases,
    changeRequest: desk.changeRequest,
    ...readCapabilities(deps, desk, pass),
    async inspect(repo, argv) {
      if (argv.length === 0) throw new Failure("input/invalid", "a command without words");
      return (await pass(
        { inspect: { repo, argv } },
        plainly({ kind: "read", repo, what: "command", target: argv }),
        async (run) => {
          const inputs = await inputMounts(deps, desk, run);
          const ran = await confine(deps, desk, run, {
            repo,
            argv,
            cwd: ".",
            mounts: [...workspaceMounts(deps, desk, "read"), ...inputs.mounts],
            scratches: [],
            environment: inputs.environment,
            network: [],
            timeoutMs: desk.spec.limits.stepMs,
          });
          return { evidence: ran.evidence, touched: [], result: ran.told, failed: null, blobs: ran.blobs };
        },
      )) as CommandResult;
    },
  };
}

/** The kernel's own word, from inside, that planning's mounts are read-only. One that is not stops the task. */
export async function readOnlyWitness(
  deps: BrokerDependencies,
  desk: Desk,
  pass: Pass,
): Promise<Readonly<Record<string, string>>> {
  const lines: Record<string, string> = {};
  for (const scope of desk.spec.scopes) {
    const { repo } = scope;
    const inside = insideOf(repo);
    const argv = deps.mountWitness.argv(inside);
    lines[repo] = (await pass(
      { witness: repo },
      plainly({ kind: "read", repo, what: "mounts", target: argv }),
      async (run) => {
        const ran = await confine(deps, desk, run, {
          repo,
          argv,
          cwd: ".",
          mounts: workspaceMounts(deps, desk, "read"),
          scratches: [],
          environment: {},
          network: [],
          timeoutMs: 30_000,
        });
        const seen = deps.mountWitness.parse(ran.told.stdout, inside);
        if (seen === null || !seen.readOnly)
          throw new Failure(
            "sandbox/missing",
            `the sandbox shows ${inside} as ${seen?.line ?? "not mounted"}; planning needs it read-only`,
          );
        return {
          evidence: [...ran.evidence, { kind: "mount", repo, line: seen.line, readOnly: true }],
          touched: [],
          result: seen.line,
          failed: null,
          blobs: ran.blobs,
        };
      },
    )) as string;
  }
  return lines;
}
