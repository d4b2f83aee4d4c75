/** One act of a script: exactly one of a command, a written file, a replaced text or a removed file. */
export type ScriptAct =
  | {
      readonly act: "run";
      readonly argv: readonly string[];
      readonly cwd: string;
      /** `host:port` it may reach. A command that may reach outside is never blindly repeated after a crash. */
      readonly network: readonly string[];
      readonly timeoutMs: number | null;
    }
  | { readonly act: "write"; readonly path: string; readonly content: string; readonly executable: boolean }
  | { readonly act: "replace"; readonly path: string; readonly find: string; readonly with: string }
  | { readonly act: "remove"; readonly path: string };

export interface ScriptItem {
  readonly id: string;
  readonly title: string;
  readonly repo: string;
  readonly criterion: string | null;
  readonly dependsOn: readonly string[];
  readonly acts: readonly ScriptAct[];
  /** Files it leaves, kept under their last name once its acts are done. Specs frozen by earlier versions have no such field. */
  readonly artifacts?: readonly string[];
}

/** What an artifact is called: the last part of its path. */
export const artifactName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** A plan file: work items a person wrote. `explore` runs while planning, on read-only mounts and without network. */
export interface ScriptPlan {
  readonly explore: readonly { readonly repo: string; readonly argv: readonly string[] }[];
  readonly items: readonly ScriptItem[];
}
