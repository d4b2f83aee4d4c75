import type { RepoFiles } from "../../../ports/runners.ts";
import type { Manifest } from "../npm-manifest.ts";
import { prepareNpm } from "../npm-prepare.ts";
import { prepareBun } from "./bun-prepare.ts";
import type { Place, Prepared } from "./ecosystem.ts";
import { preparePnpm } from "./pnpm-prepare.ts";
import { prepareYarn } from "./yarn-prepare.ts";

export interface PackageManager {
  /** Lock files, the one it prefers first. */
  readonly locks: readonly string[];
  /** Files with settings that decide what its scripts do. */
  readonly settings: readonly string[];
  /** `dashes`: how many "--" the script's own commands need before options reach them, as npm counts. */
  readonly test: (dashes: number) => readonly string[];
  readonly run: (script: string) => readonly string[];
  /** Whether it and what it installed can be worked with. */
  readonly doctor: (hasDependencies: boolean) => readonly string[];
  /** `members`: folders of workspace packages. Asked only when there is something to install. */
  readonly prepare: (place: Place, members: readonly string[]) => Promise<Prepared>;
}

const dashes = (count: number): readonly string[] => Array.from({ length: count }, () => "--");

/** The package managers of one registry: the same manifest, and nothing else alike. */
export const PACKAGE_MANAGERS = {
  npm: {
    locks: ["npm-shrinkwrap.json", "package-lock.json"],
    settings: [".npmrc"],
    // npm keeps options for itself unless a "--" stands before them; the first one is added when a report is asked for.
    test: (count) => ["npm", "test", ...(count > 1 ? dashes(count) : [])],
    run: (script) => ["npm", "run", script],
    doctor: (hasDependencies) =>
      hasDependencies ? ["npm", "ls", "--depth=0", "--omit=optional"] : ["node", "--version"],
    prepare: prepareNpm,
  },
  pnpm: {
    locks: ["pnpm-lock.yaml"],
    settings: [".npmrc", "pnpm-workspace.yaml"],
    test: (count) => ["pnpm", "run", "test", ...dashes(count - 1)],
    run: (script) => ["pnpm", "run", script],
    doctor: () => ["pnpm", "--version"],
    prepare: preparePnpm,
  },
  yarn: {
    locks: ["yarn.lock"],
    settings: [".yarnrc", ".yarnrc.yml", ".npmrc"],
    test: (count) => ["yarn", "run", "test", ...dashes(count - 1)],
    run: (script) => ["yarn", "run", script],
    doctor: () => ["yarn", "--version"],
    prepare: prepareYarn,
  },
  bun: {
    locks: ["bun.lock", "bun.lockb"],
    settings: ["bunfig.toml", ".npmrc"],
    test: (count) => ["bun", "run", "test", ...dashes(count - 1)],
    run: (script) => ["bun", "run", script],
    doctor: () => ["bun", "--version"],
    prepare: prepareBun,
  },
} as const satisfies Readonly<Record<string, PackageManager>>;

export type PackageManagerName = keyof typeof PACKAGE_MANAGERS;

const isName = (name: string): name is PackageManagerName => Object.hasOwn(PACKAGE_MANAGERS, name);

/** The one that package.json names, else the one whose lock file lies there, else npm. */
export async function packageManagerOf(manifest: Manifest, files: RepoFiles): Promise<PackageManagerName> {
  if (manifest.packageManager !== null && isName(manifest.packageManager)) return manifest.packageManager;
  for (const [name, { locks }] of Object.entries(PACKAGE_MANAGERS))
    for (const lock of locks) if (isName(name) && (await files.text(lock)) !== null) return name;
  return "npm";
}
