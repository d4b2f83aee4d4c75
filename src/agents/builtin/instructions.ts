import type { WorkCapabilities } from "../../ports/agent.ts";
import { isAnswer } from "./answered.ts";
import { bounded } from "./compaction.ts";

/** What a repository says about itself to whoever works on it: data, with the weight of any other file in it. */
export interface RepoInstructions {
  readonly repo: string;
  /** `AGENTS.md` of the repo's top, and of the part that is meant where that is another. */
  readonly agents: readonly { readonly path: string; readonly text: string }[];
  readonly skills: readonly { readonly path: string; readonly name: string; readonly description: string }[];
}

const AGENTS_CHARS_MAX = 12_000;
const SKILLS_MAX = 20;
const DESCRIPTION_CHARS_MAX = 400;

/** Each file is a read like another: its hash stands in the evidence of its step. */
export async function instructionsOf(
  can: Pick<WorkCapabilities, "spec" | "read" | "list">,
): Promise<readonly RepoInstructions[]> {
  const all: RepoInstructions[] = [];
  for (const { repo } of can.spec.scopes) {
    const directory = can.spec.repos?.[repo]?.directory ?? null;
    const agents = [];
    const skills = [];
    for (const below of directory === null ? [""] : ["", `${directory}/`]) {
      const path = `${below}AGENTS.md`;
      const text = await textOf(can, repo, path);
      if (text !== null) agents.push({ path, text: bounded(text, AGENTS_CHARS_MAX) });
      for (const skill of await skillsBelow(can, repo, `${below}skills`)) {
        const told = await textOf(can, repo, skill);
        if (told !== null) skills.push({ path: skill, ...heading(told, skill) });
      }
    }
    all.push({ repo, agents, skills });
  }
  return all;
}

async function textOf(can: Pick<WorkCapabilities, "read">, repo: string, path: string): Promise<string | null> {
  try {
    return await can.read(repo, path);
  } catch (error) {
    if (isAnswer(error)) return null; // A link, a directory, no text: then it says nothing.
    throw error;
  }
}

async function skillsBelow(
  can: Pick<WorkCapabilities, "list">,
  repo: string,
  prefix: string,
): Promise<readonly string[]> {
  try {
    const depth = prefix.split("/").length + 2;
    return (await can.list(repo, prefix))
      .filter((path) => path.endsWith("/SKILL.md") && path.split("/").length === depth)
      .slice(0, SKILLS_MAX);
  } catch (error) {
    if (isAnswer(error)) return [];
    throw error;
  }
}

/** Name and description as the front matter says them, each on one line; without them the name of its directory. */
function heading(text: string, path: string): { readonly name: string; readonly description: string } {
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1] ?? "";
  const field = (name: string): string =>
    (new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(front)?.[1] ?? "").trim().replace(/^(['"])(.*)\1$/, "$2");
  const name = field("name") || (path.split("/").at(-2) ?? path);
  return {
    name: name.slice(0, DESCRIPTION_CHARS_MAX).toWellFormed(),
    description: field("description").slice(0, DESCRIPTION_CHARS_MAX).toWellFormed(),
  };
}
