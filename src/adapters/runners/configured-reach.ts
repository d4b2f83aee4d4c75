import type { RepoFiles } from "../../ports/runners.ts";
import { folderPattern } from "./ecosystems/folder-pattern.ts";

const STRING = `"[^"\\n]*"|'[^'\\n]*'|\`[^\`$]*\``;
const LIST = `\\[(?:[^\\]"'\`]|${STRING})*\\]`;
/** Settings of runners that say where tests lie. */
const WHERE = new RegExp(
  `["']?\\b(?:include|projects|workspace|roots|rootDir|root|dir|testMatch|files)["']?\\s*:\\s*(${LIST}|${STRING})`,
  "g",
);
const WORKSPACE_FILE = new RegExp(`(?:export\\s+default\\s*|\\bdefineWorkspace\\(\\s*|^\\s*)(${LIST})`);
const TOML = new RegExp(`^\\s*root\\s*=\\s*(${STRING})`, "gm");
/** Parts of a configuration where the same words mean something else; with at most one level inside. */
const OTHER =
  /\b(?:coverage|optimizeDeps|typecheck|benchmark|server|deps|ssr|build)["']?\s*:\s*\{(?:[^{}]|\{[^{}]*\})*\}/g;
const COMMENT_LINE = /^[ \t]*(?:\/\/|\/\*|\*).*$/gm;

/**
 * Whether what configures a runner lets it look into each of these folders. Only lists of plain strings are read: what a configuration
 * computes is taken to leave everything as it is.
 */
export async function reachesFolders(
  configuration: readonly string[],
  files: RepoFiles,
  folders: readonly string[],
): Promise<boolean> {
  for (const name of configuration)
    for (const places of placesIn(name, (await textOf(name, files)) ?? ""))
      if (!folders.every((folder) => places.some((place) => reaches(place, folder)))) return false;
  return true;
}

/** The text of a file, or of one entry of a JSON file: `package.json#/jest`. */
async function textOf(name: string, files: RepoFiles): Promise<string | null> {
  const [path = "", entry] = name.split("#/");
  const text = await files.text(path);
  if (text === null || entry === undefined) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && entry in value
      ? JSON.stringify(Object.entries(value).find(([key]) => key === entry)?.[1])
      : null;
  } catch {
    return null; // A package.json that is no JSON was told of before.
  }
}

/** Nobody writes more by hand, and the patterns above would take long over it. */
const CHARACTERS_MAX = 50_000;

function placesIn(name: string, text: string): readonly (readonly string[])[] {
  if (text.length > CHARACTERS_MAX) return [];
  const plain = text.replace(COMMENT_LINE, "").replace(OTHER, "");
  const values = name.endsWith(".toml")
    ? [...plain.matchAll(TOML)]
    : [...plain.matchAll(WHERE), ...(/\.workspace\./.test(name) ? [WORKSPACE_FILE.exec(plain) ?? []] : [])];
  return values.flatMap(([, value = ""]) => {
    const literals = [...value.matchAll(new RegExp(STRING, "g"))].map(([literal]) => literal.slice(1, -1));
    // A name, a call or an object in the list is more than is known here.
    const onlyStrings = /^[[\],\s]*$/.test(value.replace(new RegExp(STRING, "g"), ""));
    return onlyStrings && literals.length > 0 ? [literals.filter((literal) => !literal.startsWith("!"))] : [];
  });
}

/** Whether a pattern or a folder leads into the folder, or further down in it. */
function reaches(place: string, folder: string): boolean {
  const parts = place
    .replace(/^<rootDir>/, "")
    .split("/")
    .filter((part) => part !== "" && part !== ".");
  for (const [at, name] of folder.split("/").entries()) {
    const part = parts[at];
    if (part === undefined || part === "**") return true;
    if (!folderPattern(part).test(name)) return false;
  }
  return true;
}
