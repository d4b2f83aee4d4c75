import { parse } from "yaml";
import { z } from "zod";
import type { Manifest } from "../npm-manifest.ts";
import type { Place } from "./ecosystem.ts";
import { folderPattern } from "./folder-pattern.ts";

const PnpmWorkspace = z.object({ packages: z.array(z.string()) });

/** Folders of the packages that the manifest (or pnpm-workspace.yaml) names by pattern, those that have a package.json; sorted. */
export async function memberFolders({ files, paths }: Place, manifest: Manifest): Promise<readonly string[]> {
  const patterns = manifest.workspaces ?? (await pnpmPatterns((await files.text("pnpm-workspace.yaml")) ?? ""));
  const yes = patterns.filter((pattern) => !pattern.startsWith("!")).map(folderPattern);
  const no = patterns.filter((pattern) => pattern.startsWith("!")).map((pattern) => folderPattern(pattern.slice(1)));
  return paths
    .flatMap((path) => /^(.+)\/package\.json$/.exec(path)?.[1] ?? [])
    .filter((folder) => yes.some((one) => one.test(folder)) && !no.some((one) => one.test(folder)))
    .sort();
}

async function pnpmPatterns(text: string): Promise<readonly string[]> {
  try {
    const read = PnpmWorkspace.safeParse(parse(text));
    return read.success ? read.data.packages : [];
  } catch {
    return []; // pnpm itself will say that it is no YAML.
  }
}
