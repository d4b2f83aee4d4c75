import { isPlainPath } from "../domain/scope.ts";
import { scopeOf } from "../domain/spec.ts";
import type { Act } from "../domain/step.ts";
import {
  CHANGES,
  commandIn,
  judgePermission,
  LOOKS,
  type PermissionAnswer,
  type PermissionWish,
} from "../domain/turn-permission.ts";
import type { Desk } from "../ports/broker.ts";
import type { AskedPermission } from "../ports/foreign.ts";
import type { PolicyAnswer } from "../ports/policy.ts";
import { firstRepo, WORKSPACES_INSIDE } from "./confine.ts";
import { decide } from "./decision.ts";
import type { BrokerDependencies } from "./deps.ts";

interface Place {
  readonly repo: string;
  readonly path: string;
}

/** Answers of the shipped policy that say no more than that nobody named it: whether that is so is known better here. */
const NOT_NAMED: ReadonlySet<string> = new Set(["plan/path", "plan/command"]);

/**
 * First what holds for any wish; then, for each act that can be told of it, what the policies in force say. The stricter word counts: a no or
 * a question of a policy stands whatever was agreed on, and what every policy lets pass needs nobody's agreement beside.
 */
export async function judgeWish(
  deps: BrokerDependencies,
  desk: Desk,
  wanted: PermissionWish,
): Promise<PermissionAnswer> {
  const judged = judgePermission(wanted, {
    phase: desk.phase,
    item: desk.item,
    scopes: desk.spec.scopes,
    agreed: agreedOn(desk),
    grants: desk.grants,
  });
  if (judged.answer === "deny") return judged;
  const said = await Promise.all(actsOf(desk, wanted).map((act) => decide(deps, desk, act)));
  const stricter =
    said.find(({ verdict }) => verdict === "deny") ??
    said.find(({ verdict, rule }) => verdict === "ask" && !NOT_NAMED.has(rule));
  if (stricter !== undefined)
    return { answer: stricter.verdict === "deny" ? "deny" : "ask", rule: stricter.rule, reason: stricter.reason };
  const [first] = said;
  return judged.answer === "ask" && desk.item !== null && first !== undefined && said.every(isAllowed)
    ? { answer: "allow", rule: first.rule }
    : judged;
}

const isAllowed = ({ verdict }: PolicyAnswer): boolean => verdict === "allow";

/** The acts that a wish comes to, as a step of its own would be asked about them. */
function actsOf(desk: Desk, { tool, places, argv }: PermissionWish): readonly Act[] {
  if (argv !== null) {
    const words = commandIn(argv);
    const timeoutMs = desk.spec.limits.stepMs;
    return words.length === 0
      ? []
      : [{ kind: "command", repo: firstRepo(desk), argv: words, cwd: ".", timeoutMs, network: [] }];
  }
  return places.flatMap((place): readonly Act[] => {
    if (place === null) return [];
    if (LOOKS.has(tool)) return [{ kind: "read", repo: place.repo, what: "file", target: [place.path] }];
    return CHANGES.has(tool)
      ? [{ kind: "edit", ...place, before: null, after: null, content: null, executable: null }]
      : [];
  });
}

/** What the gates run: as words, and as the line where one is given to a shell. A gate that still lacks its command agrees to nothing. */
const agreedOn = (desk: Desk): readonly string[] => [
  ...desk.spec.gates.flatMap(({ argv }) =>
    argv.length === 0 ? [] : [argv.join(" "), ...(argv[1] === "-c" && argv.length === 3 ? argv.slice(2) : [])],
  ),
];

/** An absolute path inside the sandbox as repo and path, or null where it lies in no workspace of this task. */
export function placeOf(desk: Desk, path: string): Place | null {
  if (!path.startsWith(`${WORKSPACES_INSIDE}/`)) return null;
  const [repo = "", ...rest] = path
    .slice(WORKSPACES_INSIDE.length + 1)
    .replace(/\/+$/, "")
    .split("/");
  if (scopeOf(desk.spec, repo) === undefined) return null;
  const inside = rest.join("/");
  if (inside === "") return { repo, path: "." };
  return isPlainPath(inside) ? { repo, path: inside } : null;
}

const insideOf = (repo: string, path: string): string =>
  path === "." ? `${WORKSPACES_INSIDE}/${repo}` : `${WORKSPACES_INSIDE}/${repo}/${path}`;

/*
 * What a person's word is about, whichever way the agent goes about it: these files to be changed, this command to be run. An agent that
 * was allowed an edit may make it by itself, or have its client write the file, and shows another difference the second time.
 */
const changeKey = (deps: BrokerDependencies, places: readonly Place[]): string =>
  deps.seal({ change: [...new Set(places.map(({ repo, path }) => `${repo}/${path}`))].sort() }).sha256;
const commandKey = (deps: BrokerDependencies, argv: readonly string[], cwd: string): string =>
  deps.seal({ run: argv.length === 1 ? ["sh", "-c", ...argv] : [...argv], cwd }).sha256;

/** The key of an act that the client is asked to do. */
export const keyOf = (deps: BrokerDependencies, act: Act & { readonly repo: string }): string =>
  act.kind === "edit"
    ? changeKey(deps, [act])
    : act.kind === "command"
      ? commandKey(deps, act.argv, insideOf(act.repo, act.cwd))
      : deps.seal({ act: JSON.stringify(act) }).sha256;

/** The wish as we understand it. Where it says neither files nor a command, the digest is over all that the agent said of it. */
export function wishOf(
  deps: BrokerDependencies,
  desk: Desk,
  { tool, title, rawInput, locations }: AskedPermission,
  redact: (text: string) => string,
) {
  const input =
    typeof rawInput === "object" && rawInput !== null ? (rawInput as Readonly<Record<string, unknown>>) : {};
  const command = input["command"] ?? input["cmd"];
  const argv =
    typeof command === "string"
      ? [command]
      : Array.isArray(command) && command.every((word) => typeof word === "string")
        ? (command as readonly string[])
        : null;
  const named = ["path", "file_path", "filePath", "filepath", "abs_path"].flatMap((key) => {
    const value = input[key];
    return typeof value === "string" ? [value] : [];
  });
  const places = [...new Set([...locations, ...named])].map((path) =>
    placeOf(desk, path.startsWith("/") ? path : `${WORKSPACES_INSIDE}/${firstRepo(desk)}/${path}`),
  );
  const said = input["cwd"] ?? input["workdir"];
  const cwd = typeof said === "string" ? said.replace(/\/+$/, "") : insideOf(firstRepo(desk), ".");
  const asText = JSON.stringify(rawInput) ?? "null";
  const files = tool === "edit" && argv === null ? places.flatMap((one) => one ?? []) : [];
  const isChange = files.length > 0 && files.length === places.length;
  return {
    digest: isChange
      ? changeKey(deps, files)
      : argv === null
        ? deps.seal({ tool, title, input: asText }).sha256
        : commandKey(deps, argv, cwd),
    covers: isChange ? files.map((one) => changeKey(deps, [one])) : [],
    detail: redact(argv === null ? asText : argv.join(" "))
      .slice(0, 2_000)
      .toWellFormed(),
    wanted: { tool, places, argv },
  };
}
