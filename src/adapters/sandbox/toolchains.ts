import { realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Toolchains {
  /** Directories to bind read-only at the same path, no one inside another. */
  readonly binds: readonly string[];
  /** The PATH inside, in the person's order. */
  readonly path: readonly string[];
  /** Variables without which a toolchain would look for itself in the (empty) HOME. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * What of the person's PATH a confined command gets: the real directories, bound where they are, with the rest of
 * their toolchain where the layout is known. Directories that do not exist, that the system brings along (/usr), that
 * hold a person's things, or that are a repository's `node_modules/.bin` are left out.
 */
export const toolchainsOn = (toolPath: readonly string[], privateDirectories: readonly string[]): Toolchains => {
  const binds: string[] = [];
  const path: string[] = [];
  const variables: Record<string, string> = {};
  for (const entry of toolPath) {
    if (!entry.startsWith("/") || entry.startsWith("/proc/") || NEVER_ON_PATH.test(entry)) continue;
    const directory = realDirectory(entry);
    if (directory === null || NEVER_ON_PATH.test(directory)) continue;
    if (!isSystem(directory)) {
      if (isPrivate(directory, privateDirectories)) continue;
      const layout = layoutOf(directory);
      const roots = layout.roots.filter((root) => realDirectory(root) === root && !isPrivate(root, privateDirectories));
      binds.push(directory, ...roots);
      Object.assign(variables, layout.variables);
    }
    path.push(isSystem(directory) ? entry : directory);
  }
  return { binds: withoutNested(binds), path: [...new Set([...path, ...SYSTEM_PATH])], variables };
};

interface Layout {
  /** Matches the directory on PATH; group 1 is the toolchain's root. */
  readonly when: RegExp;
  readonly roots: (root: string) => readonly string[];
  readonly variables?: (root: string) => Readonly<Record<string, string>>;
}

const itself = (root: string): readonly string[] => [root];

/** Known layouts, the first match counts. A directory without a row is bound alone. */
const LAYOUTS: readonly Layout[] = [
  { when: /^(.*\/\.nvm\/versions\/node\/[^/]+)\/bin$/, roots: itself },
  { when: /^(.*\/fnm\/node-versions\/[^/]+\/installation)\/bin$/, roots: itself },
  {
    when: /^(.*\/\.pyenv)\/(?:shims|bin|versions\/.*)$/,
    roots: itself,
    variables: (root) => ({ PYENV_ROOT: root }),
  },
  {
    when: /^(.*\/\.rbenv)\/(?:shims|bin|versions\/.*)$/,
    roots: itself,
    variables: (root) => ({ RBENV_ROOT: root }),
  },
  {
    when: /^(.*\/\.nodenv)\/(?:shims|bin|versions\/.*)$/,
    roots: itself,
    variables: (root) => ({ NODENV_ROOT: root }),
  },
  { when: /^(.*\/\.volta)\/bin$/, roots: itself, variables: (root) => ({ VOLTA_HOME: root }) },
  { when: /^(.*\/\.asdf)\/(?:shims|bin)$/, roots: itself, variables: (root) => ({ ASDF_DATA_DIR: root }) },
  // Cargo's own directory holds registry credentials: only its bin, and the compilers beside it.
  {
    when: /^(.*\/\.cargo)\/bin$/,
    roots: (root) => [join(dirname(root), ".rustup")],
    variables: (root) => ({ RUSTUP_HOME: join(dirname(root), ".rustup") }),
  },
  {
    when: /^(.*\/\.local)\/bin$/,
    roots: (root) => [
      join(root, "share/pipx/venvs"),
      join(root, "pipx/venvs"),
      join(root, "share/uv/tools"),
      join(root, "share/uv/python"),
    ],
  },
  {
    when: /^(.*\/share\/mise)\/(?:shims|installs\/.*)$/,
    roots: itself,
    variables: (root) => ({ MISE_DATA_DIR: root }),
  },
  { when: /^(.*\/\.sdkman\/candidates\/[^/]+\/[^/]+)\/bin$/, roots: itself },
  { when: /^(.*\/(?:miniconda3|anaconda3|miniforge3|mambaforge))\/.*bin$/, roots: itself },
  { when: /^(.*\/(?:\.npm-global|\.npm-packages|\.yarn|\.linuxbrew|\.ghcup|flutter))\/.*bin$/, roots: itself },
  { when: /^(.*\/(?:node-v|go\d|jdk|jre|java-|graalvm)[^/]*)\/bin$/, roots: itself },
  { when: /^(.*\/(?:\.venv|venv))\/bin$/, roots: itself },
  { when: /^(\/opt\/[^/]+)\/.*bin$/, roots: itself },
  { when: /^(\/nix\/store)\/.+$/, roots: itself },
  // A prefix of npm's own: the commands in its bin are links into the packages beside it.
  { when: /^(.*)\/bin$/, roots: (root) => [join(root, "lib/node_modules")] },
];

const layoutOf = (directory: string): { roots: readonly string[]; variables: Readonly<Record<string, string>> } => {
  for (const layout of LAYOUTS) {
    const root = layout.when.exec(directory)?.[1];
    if (root !== undefined) return { roots: layout.roots(root), variables: layout.variables?.(root) ?? {} };
  }
  return { roots: [], variables: {} };
};

export const SYSTEM_PATH = ["/usr/local/bin", "/usr/bin", "/bin"] as const;

/** A repository's own programs, and what npm puts on PATH while it runs a script (AgentOS's own Node among them). */
const NEVER_ON_PATH = /\/node_modules\/(?:\.bin|.*\/node-gyp-bin|node-linux-[^/]+\/bin)\/?$/;

const SYSTEM = /^\/(?:usr|bin|sbin|lib|lib32|lib64|libx32)(?:\/|$)/;
const isSystem = (directory: string): boolean => SYSTEM.test(directory);

/** Places that are never a toolchain, wherever the home is. */
const NEVER_BELOW = /^\/(?:proc|sys|dev|run|etc|var|boot)(?:\/|$)/;
const NEVER_ITSELF = /^\/(?:[^/]*)?$/;
/** Below a home: where credentials and settings live, and the wholes of which only parts are toolchains. */
const NEVER_IN_HOME =
  /^\/(?:\.ssh|\.gnupg|\.aws|\.azure|\.kube|\.docker|\.config|\.password-store|\.mozilla|\.cache)(?:\/|$)/;
const NEVER_WHOLE_IN_HOME = /^\/(?:\.local(?:\/share)?|\.cargo|Desktop|Documents|Downloads)$/;

const isPrivate = (directory: string, privateDirectories: readonly string[]): boolean => {
  if (NEVER_BELOW.test(directory) || NEVER_ITSELF.test(directory)) return true;
  return privateDirectories.some((home) => {
    if (home === directory || home.startsWith(`${directory}/`)) return true;
    const below = directory.startsWith(`${home}/`) ? directory.slice(home.length) : null;
    return below !== null && (NEVER_IN_HOME.test(below) || NEVER_WHOLE_IN_HOME.test(below));
  });
};

const realDirectory = (path: string): string | null => {
  try {
    const real = realpathSync(path);
    return statSync(real).isDirectory() ? real : null;
  } catch {
    return null; // Entries of PATH that do not exist, or that this user may not see, are ordinary.
  }
};

const withoutNested = (directories: readonly string[]): readonly string[] => {
  const all = [...new Set(directories)];
  return all.filter((directory) => !all.some((other) => other !== directory && directory.startsWith(`${other}/`)));
};
