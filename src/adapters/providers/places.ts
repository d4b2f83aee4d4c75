import { accessSync, constants, statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { posix, win32 } from "node:path";
import { z } from "zod";
import { Failure } from "../../domain/failure.ts";
import { ollamaUrl } from "../../domain/ollama-host.ts";
import { BASE_URLS, isLocal, type ProviderKind } from "../../domain/provider-facts.ts";
import { type Platform, pathsOf, type Surroundings, windowsHost } from "../../domain/provider-platforms.ts";
import type { Program, ProviderModel } from "../../ports/providers.ts";
import { runProgram } from "./run-program.ts";

const VERSION_MS = 10_000;
const FILE_BYTES_MAX = 65_536;
const MODEL_FILES_MAX = 300;
const MODEL_DEPTH_MAX = 5;
const DIRECTORIES_MAX = 5_000;

const VERSION_ARGV: Readonly<Record<"ollama" | "llamacpp" | "lmstudio", readonly string[]>> = {
  ollama: ["--version"],
  llamacpp: ["--version"],
  lmstudio: ["version"],
};

/** Where on this machine things lie, by the platform's record. */
export function places(platform: Platform, around: Surroundings, environment: Readonly<Record<string, string>>) {
  const path = platform.name === "win32" ? win32 : posix;

  /** LM Studio says in a file where its home is; before there was one it lay below ~/.cache. Only read, never made. */
  async function lmStudioHome(): Promise<string> {
    const said = (await textOf(path.join(around.home, ".lmstudio-home-pointer")))?.trim() ?? "";
    if (said !== "" && path.isAbsolute(said)) return said;
    const older = path.join(around.home, ".cache", "lm-studio");
    return isDirectory(older) ? older : path.join(around.home, ".lmstudio");
  }

  async function surroundings(): Promise<Surroundings> {
    const lmHome = await lmStudioHome();
    const installed = parsed(await textOf(path.join(lmHome, ".internal", "app-install-location.json")), Installed);
    return {
      home: around.home,
      variable: (name) => {
        if (name === "LMSTUDIO_HOME") return lmHome;
        if (name === "LMSTUDIO_APP") return installed?.path;
        return around.variable(name);
      },
    };
  }

  async function firstThere(templates: readonly string[], is: (path: string) => boolean): Promise<string | null> {
    for (const one of pathsOf(templates, await surroundings()))
      for (const found of await matching(path, one)) if (is(found)) return found;
    return null;
  }

  return {
    async program(kind: ProviderKind, configured: string | null): Promise<Program | null> {
      if (!isLocal(kind)) return null;
      if (configured !== null) return checked(kind, configured);
      const { programs, executables } = platform.local[kind];
      const along = (around.variable("PATH") ?? "")
        .split(platform.separator)
        .filter((entry) => path.isAbsolute(entry))
        .flatMap((entry) => programs.map((name) => path.join(entry, name)));
      const found = along.find(isProgram) ?? (await firstThere(executables, isProgram));
      // What was found is not run only to be looked at: its server says which version it is.
      return found === null ? null : { path: found, version: null };
    },

    async modelsDirectory(kind: ProviderKind, configured: string | null): Promise<string | null> {
      if (configured !== null) return configured;
      if (!isLocal(kind)) return null;
      const { modelsDirectories } = platform.local[kind];
      const there = await firstThere(modelsDirectories, isDirectory);
      return there ?? pathsOf(modelsDirectories, await surroundings())[0] ?? null;
    },

    app: (kind: "lmstudio" | "ollama"): Promise<string | null> => firstThere(platform.local[kind].apps, isThere),

    logs: async (kind: ProviderKind): Promise<readonly string[]> =>
      isLocal(kind) ? pathsOf(platform.local[kind].logs, await surroundings()) : [],

    async usualUrl(kind: ProviderKind): Promise<string | null> {
      if (kind === "ollama") return ollamaUrl(around.variable("OLLAMA_HOST"));
      if (kind !== "lmstudio") return BASE_URLS[kind];
      const internal = path.join(await lmStudioHome(), ".internal");
      for (const name of ["http-server.json", "http-server-config.json"]) {
        const port = parsed(await textOf(path.join(internal, name)), ServerPort)?.port;
        if (port !== undefined) return `http://127.0.0.1:${port}`;
      }
      return BASE_URLS.lmstudio;
    },

    async windowsHost(): Promise<string | null> {
      return platform.name === "wsl" ? windowsHost((await textOf("/proc/net/route")) ?? "") : null;
    },

    /** `.gguf` files below, links not followed into directories; of a model in several files only the first, which names the others. */
    async modelFiles(directory: string): Promise<readonly ProviderModel[]> {
      const found: ProviderModel[] = [];
      let looked = 0;
      const walk = async (at: string, depth: number): Promise<void> => {
        if (depth > MODEL_DEPTH_MAX || looked >= DIRECTORIES_MAX) return;
        looked += 1;
        const entries = await readdir(at, { withFileTypes: true }).catch(() => []);
        for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
          if (found.length >= MODEL_FILES_MAX) return;
          const below = path.join(at, entry.name);
          if (entry.isDirectory()) await walk(below, depth + 1);
          else if (isModelFile(entry.name)) {
            const bytes = sizeOf(below);
            if (bytes !== null)
              found.push({ id: below, where: "disk", bytes, loaded: false, tools: null, contextTokensMax: null });
          }
        }
      };
      await walk(directory, 0);
      return found;
    },
  };

  async function checked(kind: "ollama" | "llamacpp" | "lmstudio", wanted: string): Promise<Program> {
    const refused = (why: string): Failure =>
      new Failure("provider/refused", `${wanted} ${why}`, {
        next: `Name the program itself (${platform.local[kind].programs.join(" or ")}), or leave it out to have it looked for.`,
      });
    if (!path.isAbsolute(wanted)) throw refused("is not an absolute path");
    if (isDirectory(wanted)) throw refused("is a directory");
    if (!isThere(wanted)) throw refused("is not there");
    if (!isProgram(wanted)) throw refused("is not a program this user may run");
    const ran = await runProgram([wanted, ...VERSION_ARGV[kind]], VERSION_MS, environment);
    if (ran.exitCode !== 0)
      throw refused(`does not say its version, as ${platform.local[kind].programs[0]} does (${ran.last})`);
    return { path: wanted, version: ran.last };
  }
}

const Installed = z.object({ path: z.string().min(1) });
const ServerPort = z.object({ port: z.int().min(1).max(65_535) });

function parsed<S extends z.ZodType>(text: string | null, schema: S): z.infer<S> | null {
  try {
    const result = schema.safeParse(JSON.parse(text ?? "null"));
    return result.success ? result.data : null;
  } catch {
    return null; // Another program's file in a form we do not know says nothing.
  }
}

async function textOf(path: string): Promise<string | null> {
  try {
    return statSync(path).size > FILE_BYTES_MAX ? null : await readFile(path, "utf8");
  } catch {
    return null; // Not there, or not ours to read.
  }
}

/** The paths a template with one `*` in its last part stands for, the newest name first. */
async function matching(path: typeof posix, template: string): Promise<readonly string[]> {
  const name = path.basename(template);
  if (!name.includes("*")) return [template];
  const [before = "", after = ""] = name.split("*");
  const directory = path.dirname(template);
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((one) => one.length >= before.length + after.length && one.startsWith(before) && one.endsWith(after))
    .sort()
    .reverse()
    .map((one) => path.join(directory, one));
}

function isModelFile(name: string): boolean {
  const part = /-(\d{5})-of-\d{5}\.gguf$/i.exec(name);
  return /\.gguf$/i.test(name) && (part === null || part[1] === "00001");
}

function statOrNull(path: string) {
  try {
    return statSync(path);
  } catch {
    return null; // Not there, or in a directory that is not ours to look into.
  }
}
const isThere = (path: string): boolean => statOrNull(path) !== null;
const isDirectory = (path: string): boolean => statOrNull(path)?.isDirectory() ?? false;
function sizeOf(path: string): number | null {
  const found = statOrNull(path);
  return found?.isFile() === true ? found.size : null;
}

function isProgram(path: string): boolean {
  if (statOrNull(path)?.isFile() !== true) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // A file that this user may not run.
  }
}
