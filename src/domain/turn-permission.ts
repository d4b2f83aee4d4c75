import { covers } from "./matter.ts";
import { declaresCommand, declaresPath, type WorkItem } from "./plan.ts";
import { crossedRedLine } from "./red-line.ts";
import { inScope } from "./scope.ts";
import type { RepoScope } from "./spec.ts";

/** One act an agent wants a permission for, as far as it says what it is. */
export interface PermissionWish {
  /** The protocol's kind of tool: read, edit, delete, move, search, execute, think, fetch, switch_mode, other. */
  readonly tool: string;
  /** Repo and path of each file it names, and null for one that lies outside the workspace. */
  readonly places: readonly ({ readonly repo: string; readonly path: string } | null)[];
  /** The command, where it says one: words, or a line for a shell as one word. */
  readonly argv: readonly string[] | null;
}

export interface PermissionGround {
  readonly phase: string;
  /** What was approved; null outside of an item. */
  readonly item: WorkItem | null;
  readonly scopes: readonly RepoScope[];
  /** Commands of the gates: they are run anyway. */
  readonly agreed: readonly string[];
  /** Patterns of commands that a person allowed for this task. */
  readonly grants: readonly string[];
}

export type PermissionAnswer =
  | { readonly answer: "allow"; readonly rule: string }
  | { readonly answer: "deny" | "ask"; readonly rule: string; readonly reason: string };

/** A line for a shell as words, where it is nothing but words: what a shell would read in it is covered by no grant. */
const wordsIn = (argv: readonly string[]): readonly string[] => {
  const [line = ""] = argv;
  return argv.length > 1 || /[^A-Za-z0-9 _./:=@,+-]/.test(line) ? argv : line.split(" ").filter((word) => word !== "");
};

/** The words that run: those of a line where it is nothing but words, else a shell that reads it. Empty where nothing is said. */
export function commandIn(argv: readonly string[]): readonly string[] {
  const words = wordsIn(argv);
  return words === argv && argv.length === 1 ? ["sh", "-c", ...argv] : words;
}

/** Kinds of tools that only look, and those that change the files they name. */
export const LOOKS: ReadonlySet<string> = new Set(["read", "search", "think"]);
export const CHANGES: ReadonlySet<string> = new Set(["edit", "delete", "move"]);

/**
 * What is said to an agent that asks. An allowed act still happens inside the agent's own sandbox, whose mounts and closed network hold
 * whatever is said here; this is the early, readable word. Asked of a person is what nobody has agreed on.
 */
export function judgePermission(wish: PermissionWish, ground: PermissionGround): PermissionAnswer {
  const no = (answer: "deny" | "ask", rule: string, reason: string): PermissionAnswer => ({ answer, rule, reason });
  if (wish.argv !== null) {
    const line = crossedRedLine({
      kind: "command",
      repo: "",
      argv: wish.argv.length === 1 ? ["sh", "-c", wish.argv[0] ?? ""] : wish.argv,
      cwd: ".",
      timeoutMs: 0,
      network: [],
    });
    if (line !== null) return no("deny", `red-line/${line.id}`, `${line.means}: this can not be allowed by anyone`);
  }
  if (LOOKS.has(wish.tool)) return { answer: "allow", rule: "turn/looks" };
  if (ground.phase !== "implementation")
    return no("deny", "phase", `${wish.tool} is not possible in the phase ${ground.phase}`);
  for (const place of wish.places) {
    if (!CHANGES.has(wish.tool)) break;
    if (place === null) return no("deny", "scope/path", "it lies outside the workspace");
    const scope = ground.scopes.find(({ repo }) => repo === place.repo);
    if (scope === undefined || !inScope(scope, place.path))
      return no("deny", "scope/path", `${place.path} is outside what the spec lets this task change in ${place.repo}`);
  }
  if (wish.tool === "switch_mode") return { answer: "allow", rule: "turn/mode" };
  const { item } = ground;
  const named = wish.places.flatMap((place) => (place === null ? [] : [place.path]));
  if (CHANGES.has(wish.tool) && item !== null && named.length > 0 && named.every((path) => declaresPath(item, path)))
    return { answer: "allow", rule: "plan/path" };
  if (wish.argv !== null && item !== null && declaresCommand(item, wordsIn(wish.argv)))
    return { answer: "allow", rule: "plan/command" };
  if (wish.argv !== null && ground.agreed.includes(wish.argv.join(" ")))
    return { answer: "allow", rule: "turn/gate-command" };
  if (wish.argv !== null && ground.grants.some((grant) => covers(grant, wordsIn(wish.argv ?? []))))
    return { answer: "allow", rule: "grant" };
  return no("ask", "turn/not-agreed", "nobody agreed on this yet");
}
