import { z } from "zod";

/** The parts of a package.json that decide gates and dependencies. */
export interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  /** Files that people start or import, best first, with the JSON pointer of the entry that says so. */
  readonly entries: readonly { readonly pointer: string; readonly path: string }[];
  /** Number of packages it asks for, peers included: npm installs those too. */
  readonly dependencies: number;
  /** Patterns of the folders of workspace packages; null: it names none. */
  readonly workspaces: readonly string[] | null;
  readonly name: string | null;
  /** Name of the package manager it asks for, without version. */
  readonly packageManager: string | null;
}

export const hasDependencies = (manifest: Manifest): boolean =>
  manifest.dependencies > 0 || manifest.workspaces !== null;

/** Fields of the wrong type are as good as absent: npm does not insist either. */
const Names = z.record(z.string(), z.unknown()).default({}).catch({});
const Patterns = z.array(z.string());
const PackageJson = z.object({
  scripts: Names,
  main: z.string().optional().catch(undefined),
  bin: z
    .union([z.string(), z.record(z.string(), z.string())])
    .optional()
    .catch(undefined),
  exports: z.unknown().optional(),
  dependencies: Names,
  devDependencies: Names,
  optionalDependencies: Names,
  peerDependencies: Names,
  workspaces: Patterns.or(z.object({ packages: Patterns }).transform(({ packages }) => packages))
    .optional()
    .catch(undefined),
  name: z.string().optional().catch(undefined),
  packageManager: z.string().optional().catch(undefined),
});

/** Null when the text is no JSON object. */
export function readManifest(text: string): Manifest | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // The caller says so to the person.
  }
  const parsed = PackageJson.safeParse(value);
  if (!parsed.success) return null;
  const { data } = parsed;
  const scripts = Object.entries(data.scripts).flatMap(([name, script]) =>
    typeof script === "string" ? [[name, script] as const] : [],
  );
  const kinds = [data.dependencies, data.devDependencies, data.optionalDependencies, data.peerDependencies];
  return {
    scripts: Object.fromEntries(scripts),
    entries: entries(data),
    dependencies: kinds.reduce((sum, names) => sum + Object.keys(names).length, 0),
    workspaces: data.workspaces ?? null,
    name: data.name ?? null,
    packageManager: data.packageManager?.split("@")[0] ?? null,
  };
}

function entries(data: z.infer<typeof PackageJson>): { pointer: string; path: string }[] {
  const found: { pointer: string; path: string }[] = [];
  if (data.main !== undefined)
    for (const ending of ["", ".js", "/index.js"])
      found.push({ pointer: "/main", path: data.main.replace(/\/$/, "") + ending });
  const bins = typeof data.bin === "string" ? [data.bin] : Object.values(data.bin ?? {});
  for (const path of bins) found.push({ pointer: "/bin", path });
  for (const path of exportedPaths(data.exports, 0)) found.push({ pointer: "/exports", path });
  if (data.main === undefined) found.push({ pointer: "/main", path: "index.js" });
  return found;
}

const EXPORTS_DEPTH_MAX = 6;

/** Paths under "." of an `exports` field, whatever the conditions. */
function exportedPaths(value: unknown, depth: number): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth > EXPORTS_DEPTH_MAX) return [];
  return Object.entries(value)
    .filter(([key]) => key === "." || !key.startsWith("."))
    .flatMap(([, inner]) => exportedPaths(inner, depth + 1));
}
