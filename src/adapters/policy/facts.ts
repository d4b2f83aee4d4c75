import type { CedarValueJson, TypeAndId } from "@cedar-policy/cedar-wasm/nodejs";
import { matchesCommand, prefixesOf } from "../../domain/command-pattern.ts";
import { covers } from "../../domain/matter.ts";
import { declaresCommand, declaresPath } from "../../domain/plan.ts";
import { inScope } from "../../domain/scope.ts";
import { type Reduced, reduceCommand } from "../../domain/shell.ts";
import type { Act } from "../../domain/step.ts";
import type { PolicyQuestion } from "../../ports/policy.ts";

/** A question as Cedar is asked it. */
export interface Facts {
  readonly principal: TypeAndId;
  readonly action: TypeAndId;
  readonly resource: TypeAndId;
  readonly context: Readonly<Record<string, CedarValueJson>>;
  /** What stands for `{…}` in a reason. */
  readonly words: Readonly<Record<string, string>>;
}

const PRINCIPALS = { person: "Person", agent: "Agent", worker: "Worker", chat: "Chat" } as const;
const NONE: Reduced = { argvs: [], writes: [], opaque: [] };

/**
 * The questions that an act comes to: the act itself, and each host it would reach. What Cedar cannot work out (patterns of paths, what a
 * shell would run) is worked out here and told as facts; the decision is Cedar's.
 */
export function factsOf(question: PolicyQuestion): readonly Facts[] {
  const { act, principal, scope, item } = question;
  const argv = argvOf(act);
  const reduced = argv === null ? NONE : reduceCommand(argv);
  const hosts = act.kind === "prepare" ? act.hosts : act.kind === "command" || act.kind === "tool" ? act.network : [];
  const repo = "repo" in act ? act.repo : "";
  const path = act.kind === "edit" ? act.path : act.kind === "read" ? (act.target[0] ?? "") : "";
  const context = {
    phase: question.phase,
    run_mode: question.runMode,
    risk: hosts.length > 0 ? "elevated" : "low",
    repo,
    member: repo === "" || scope !== undefined,
    writable: question.repoWritable,
    in_scope: act.kind === "edit" && scope !== undefined && inScope(scope, act.path),
    declared:
      item === null ||
      (act.kind === "edit" ? declaresPath(item, act.path) : argv !== null && declaresCommand(item, argv)),
    approved:
      argv !== null &&
      (question.grants.some((grant) => covers(grant, argv)) || matchesCommand(question.approvedCommands, reduced)),
    argv: (argv ?? []).join(" "),
    commands: [...new Set(reduced.argvs.flatMap(prefixesOf))],
    writes: [...reduced.writes],
    opaque: reduced.opaque.length > 0,
  };
  const by = { type: PRINCIPALS[principal.kind], id: principal.name };
  const words = {
    kind: act.kind,
    phase: question.phase,
    repo,
    path,
    host: "",
    item: item?.id ?? "",
    opaque: reduced.opaque.join(", "),
  };
  const resource = resourceOf(act, repo, path, argv);
  return [
    { principal: by, action: { type: "Action", id: actionOf(act) }, resource, context, words },
    ...hosts.map(
      (host): Facts => ({
        principal: by,
        action: { type: "Action", id: "connect" },
        resource: { type: "Host", id: host },
        context: { ...context, declared: act.kind !== "prepare" || question.packageHosts.includes(host) },
        words: { ...words, host },
      }),
    ),
  ];
}

function argvOf(act: Act): readonly string[] | null {
  switch (act.kind) {
    case "command":
    case "gate":
    case "prepare":
    case "tool":
      return act.argv;
    case "read":
      return act.what === "command" || act.what === "mounts" ? act.target : null;
    default:
      return null;
  }
}

function actionOf(act: Act): string {
  if (act.kind === "read") return act.what === "command" || act.what === "mounts" ? "inspect" : "read";
  return act.kind;
}

function resourceOf(act: Act, repo: string, path: string, argv: readonly string[] | null): TypeAndId {
  if (argv !== null) return { type: "Command", id: argv.join(" ") };
  if (act.kind === "edit" || act.kind === "read") return { type: "Path", id: path };
  if (act.kind === "candidate") return { type: "Repo", id: repo };
  return { type: "Task", id: act.kind === "turn" ? act.agent : act.kind === "model" ? act.model : act.kind };
}
