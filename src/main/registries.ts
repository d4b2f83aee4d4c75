import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { EgressTarget } from "../ports/egress.ts";
import { ownAccount } from "./account.ts";

const run = promisify(execFile);

/** What this machine's own package clients are set to: urls that may hold a name and a password, which stay in this process. */
export interface ClientSettings {
  readonly registry: string;
  readonly goProxy?: string;
  readonly pythonIndex?: string;
}

export const DEFAULT_REGISTRY = "https://registry.npmjs.org/";

/** Asked of npm itself; read from where go and pip keep theirs, because asking pip takes longer than starting the daemon. */
export async function clientSettings(toolPath: readonly string[]): Promise<ClientSettings> {
  const { home } = ownAccount();
  const [registry, goFile, ...pipFiles] = await Promise.all([
    npmRegistry(toolPath, home),
    textOf(join(home, ".config/go/env")),
    ...[join(home, ".config/pip/pip.conf"), join(home, ".pip/pip.conf"), "/etc/pip.conf"].map(textOf),
  ]);
  const goProxy = process.env["GOPROXY"] || /^GOPROXY=(\S+)$/m.exec(goFile)?.[1];
  const pythonIndex =
    process.env["PIP_INDEX_URL"] ||
    pipFiles.map((text) => /^\s*index-url\s*=\s*(\S+)\s*$/m.exec(text)?.[1]).find(Boolean);
  return { registry, ...(goProxy && { goProxy }), ...(pythonIndex && { pythonIndex }) };
}

/** A registry that the machine's own client is set to is the person's choice, also where its name leads into their own network. */
export const ownRegistries = ({ registry, goProxy = "", pythonIndex = "" }: ClientSettings): readonly EgressTarget[] =>
  [registry, ...goProxy.split(/[,|]/), pythonIndex].flatMap((one) => {
    if (!/^https?:\/\//.test(one) || !URL.canParse(one)) return [];
    const { host, hostname, port, protocol } = new URL(one);
    if (USUAL.has(host)) return [];
    return [{ host: hostname, port: Number(port) || (protocol === "http:" ? 80 : 443) }];
  });

const USUAL: ReadonlySet<string> = new Set(["registry.npmjs.org", "proxy.golang.org", "pypi.org"]);

/** npm's usual one when there is no npm. */
async function npmRegistry(toolPath: readonly string[], home: string): Promise<string> {
  try {
    const { stdout } = await run("npm", ["config", "get", "registry"], {
      env: { PATH: [...toolPath, "/usr/local/bin", "/usr/bin", "/bin"].join(":"), HOME: home },
      timeout: 10_000,
      cwd: "/",
    });
    const said = stdout.trim();
    return /^https?:\/\//.test(said) ? said : DEFAULT_REGISTRY;
  } catch {
    return DEFAULT_REGISTRY; // no npm on this machine: then no npm project can be prepared either, and its step will say so
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return ""; // Most people have no such file.
  }
}
