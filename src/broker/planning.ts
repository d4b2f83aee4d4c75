import { checkWords } from "../domain/command-words.ts";
import { Failure } from "../domain/failure.ts";
import { placeIn } from "../domain/spec.ts";
import type { CommandResult, PlanningCapabilities } from "../ports/agent.ts";
import type { Desk, StepRun } from "../ports/broker.ts";
import type { Mount, Scratch } from "../ports/sandbox.ts";
import { confine, insideOf, isWritable, type Ran, workspaceMounts } from "./confine.ts";
import { type BrokerDependencies, type Pass, plainly } from "./deps.ts";
import { inputMounts } from "./inputs.ts";
import { readCapabilities } from "./reading.ts";
import { talkCapabilities } from "./talking.ts";
import { toolCapabilities } from "./tools.ts";
import { turnCapabilities } from "./turn.ts";

/** Looking, and nothing else: mounts are read-only, there is no network, and no capability that writes is handed over. */
export function planningCapabilities(deps: BrokerDependencies, desk: Desk, pass: Pass): PlanningCapabilities {
  return {
    spec: desk.spec,
    bases: desk.bases,
    changeRequest: desk.changeRequest,
    ...readCapabilities(deps, desk, pass),
    ...turnCapabilities(deps, desk, pass),
    ...talkCapabilities(deps, desk, pass),
    ...toolCapabilities(deps, desk, pass),
    async inspect(repo, argv) {
      if (argv.length === 0) throw new Failure("input/invalid", "a command without words");
      checkWords(argv);
      return (await pass(
        { inspect: { repo, argv } },
        plainly({ kind: "read", repo, what: "command", target: argv }),
        async (run) => {
          const inputs = await inputMounts(deps, desk, run);
          const ran = await confine(deps, desk, run, {
            repo,
            argv,
            cwd: placeIn(desk.spec, repo, "."),
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

/** The kernel's own word, from inside, that mounts are read-only. One that is not stops the task. */
export async function readOnlyWitness(
  deps: BrokerDependencies,
  desk: Desk,
  pass: Pass,
  seen: "planning" | "by-scope",
): Promise<Readonly<Record<string, string>>> {
  const lines: Record<string, string> = {};
  for (const { repo } of desk.spec.scopes) {
    if (seen === "by-scope" && isWritable(desk, repo)) continue;
    lines[repo] = (await pass(
      { witness: repo },
      plainly({ kind: "read", repo, what: "mounts", target: deps.mountWitness.argv(insideOf(repo)) }),
      async (run) => {
        const mounts = workspaceMounts(deps, desk, seen === "planning" ? "read" : "by-scope");
        const ran = await lookAtMounts(deps, desk, run, repo, { mounts, scratches: [] });
        const line = readOnlyLine(deps, repo, ran);
        return {
          evidence: [...ran.evidence, { kind: "mount", repo, line, readOnly: true }],
          touched: [],
          result: line,
          failed: null,
          blobs: ran.blobs,
        };
      },
    )) as string;
  }
  return lines;
}

interface Place {
  readonly mounts: readonly Mount[];
  readonly scratches: readonly Scratch[];
}

/** The line about one repo among these mounts, which must be read-only. */
export const mountSeen = async (
  deps: BrokerDependencies,
  desk: Desk,
  run: StepRun,
  repo: string,
  place: Place,
): Promise<string> => readOnlyLine(deps, repo, await lookAtMounts(deps, desk, run, repo, place));

const lookAtMounts = (deps: BrokerDependencies, desk: Desk, run: StepRun, repo: string, place: Place): Promise<Ran> =>
  confine(deps, desk, run, {
    repo,
    argv: deps.mountWitness.argv(insideOf(repo)),
    cwd: ".",
    ...place,
    environment: {},
    network: [],
    timeoutMs: 30_000,
  });

function readOnlyLine(deps: BrokerDependencies, repo: string, { told }: Ran): string {
  const seen = deps.mountWitness.parse(told.stdout, insideOf(repo));
  if (seen === null || !seen.readOnly)
    throw new Failure(
      "sandbox/missing",
      `the sandbox shows ${insideOf(repo)} as ${seen?.line ?? "not mounted"}; it has to be read-only there`,
    );
  return seen.line;
}
