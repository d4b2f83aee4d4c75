import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { access, constants, mkdir, readFile, realpath, statfs } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cedarPolicy } from "../adapters/policy/cedar-policy.ts";
import { standingLayers, userPolicyFile } from "../adapters/policy/layers.ts";
import { bubblewrapSandbox } from "../adapters/sandbox/bubblewrap.ts";
import { secrets } from "../adapters/secrets/secrets.ts";
import { auditStore } from "../adapters/store/audit.ts";
import { acquireDaemonLock } from "../adapters/store/daemon-lock.ts";
import { openStore } from "../adapters/store/open.ts";
import { openReadOnly } from "../adapters/store/read-only.ts";
import { seal } from "../adapters/store/seal.ts";
import { allPaused } from "../app/pause-all.ts";
import { seeProviders } from "../app/provider-places.ts";
import { isFailure } from "../domain/failure.ts";
import { nextFor } from "../domain/provider-look.ts";
import type { AuditReport, ProviderReads } from "../ports/store.ts";
import { machineProviders } from "./providers.ts";

const run = promisify(execFile);

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly required: boolean;
  readonly detail: string;
  /** What to do, when it is not as it should be. */
  readonly next: string | null;
  /** Whether `--fix` mended it in this run. */
  readonly fixed: boolean;
}

/** Commands that open the data directory themselves and never start a daemon. */
export const offline = {
  /** Makes the data directory and its database; what is there already stays as it is. */
  async init(home: string): Promise<{ readonly home: string; readonly created: boolean }> {
    const created = !existsSync(join(home, "agentos.db"));
    await mkdir(home, { recursive: true, mode: 0o700 });
    if (created) {
      const lock = await acquireDaemonLock(home);
      try {
        await (await openStore({ home, now: () => Date.now() })).close();
      } finally {
        await lock.release();
      }
    } else await (await openReadOnly(home)).close();
    return { home: await realpath(home), created };
  },

  /** Re-checks the whole history. Reads only; works beside a running daemon. */
  auditVerify: (home: string): Promise<AuditReport> => auditStore(home, { seal }),

  /** What this machine has and lacks. With `fix`, does what can be done without a person; with `dryRun`, only says so. */
  async doctor(
    home: string,
    { fix, dryRun }: { readonly fix: boolean; readonly dryRun: boolean },
  ): Promise<{ readonly ready: boolean; readonly checks: readonly Check[] }> {
    const checks = [
      nodeCheck(),
      await gitCheck(),
      await sandboxCheck(fix, dryRun),
      await homeCheck(home, fix, dryRun),
      await spaceCheck(home),
      await storeCheck(home),
      ...(await pauseCheck(home)),
      ...(await policyCheck(home)),
      await portCheck(home),
      ...(await providerChecks(home)),
    ];
    return { ready: checks.every(({ ok, required }) => ok || !required), checks };
  },
};

const good = (name: string, detail: string): Check => ({
  name,
  ok: true,
  required: true,
  detail,
  next: null,
  fixed: false,
});
const bad = (name: string, detail: string, next: string, required = true): Check => ({
  name,
  ok: false,
  required,
  detail,
  next,
  fixed: false,
});

function nodeCheck(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const fine = major > 22 || (major === 22 && minor >= 14);
  return fine
    ? good("node", `Node ${process.versions.node}`)
    : bad("node", `Node ${process.versions.node} is too old`, "Install Node 22.14 or newer, e.g. nvm install 24");
}

async function gitCheck(): Promise<Check> {
  try {
    const { stdout } = await run("git", ["--version"], { timeout: 10_000 });
    const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
    return Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)
      ? good("git", stdout.trim())
      : bad("git", `${stdout.trim()} is too old`, "Install git 2.38 or newer: sudo apt-get install -y git");
  } catch {
    return bad("git", "git does not run", "sudo apt-get install -y git");
  }
}

async function sandboxCheck(fix: boolean, dryRun: boolean): Promise<Check> {
  const first = await trySandbox();
  if (first.ok || !fix) return first;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return first;
  if (dryRun) return { ...first, next: "With --fix this would run: apt-get install -y bubblewrap" };
  await run("apt-get", ["update", "-qq"], { timeout: 300_000 });
  await run("apt-get", ["install", "-y", "-qq", "bubblewrap"], {
    timeout: 600_000,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
  const second = await trySandbox();
  return second.ok ? { ...second, detail: `${second.detail}; installed just now with apt-get`, fixed: true } : second;
}

async function trySandbox(): Promise<Check> {
  if (process.platform !== "linux")
    return bad(
      "sandbox",
      `there is no sandbox for ${process.platform} yet`,
      "Run AgentOS on Linux or in WSL to execute tasks; looking works here too.",
    );
  try {
    const { name, version, checks } = await bubblewrapSandbox().selfTest();
    return good("sandbox", `${name} ${version}: ${checks.join("; ")}`);
  } catch (error) {
    if (!isFailure(error, "sandbox/missing")) throw error;
    return bad("sandbox", error.message, error.next ?? "sudo apt-get install -y bubblewrap");
  }
}

async function homeCheck(home: string, fix: boolean, dryRun: boolean): Promise<Check> {
  if (existsSync(home)) {
    try {
      await access(home, constants.R_OK | constants.W_OK | constants.X_OK);
      return good("data directory", home);
    } catch {
      return bad("data directory", `${home} is not yours to write`, `Make it yours, or name another: AGENTOS_HOME=DIR`);
    }
  }
  const parent = existing(dirname(home));
  try {
    await access(parent, constants.W_OK | constants.X_OK);
  } catch {
    return bad(
      "data directory",
      `${home} is not there and ${parent} is not yours to write`,
      "Name another: AGENTOS_HOME=DIR",
    );
  }
  if (!fix) return good("data directory", `${home} will be made on first use`);
  if (dryRun) return good("data directory", `With --fix this would make ${home}`);
  await mkdir(home, { recursive: true, mode: 0o700 });
  return { ...good("data directory", `${home} was made`), fixed: true };
}

const SPACE_BYTES_MIN = 1024 ** 3;

async function spaceCheck(home: string): Promise<Check> {
  const { bavail, bsize } = await statfs(existing(home));
  const free = bavail * bsize;
  const told = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  return free >= SPACE_BYTES_MIN
    ? good("disk", told)
    : bad("disk", told, "Free at least 1 GiB where the data directory lies.", false);
}

async function storeCheck(home: string): Promise<Check> {
  if (!existsSync(join(home, "agentos.db"))) return good("database", "none yet; it is made on first use");
  try {
    await (await openReadOnly(home)).close();
    return good("database", join(home, "agentos.db"));
  } catch (error) {
    if (!isFailure(error)) throw error;
    return bad("database", error.message, error.next ?? "agentos audit verify names the place.");
  }
}

/** Whether everything is paused, which whoever wonders why nothing happens should find here. Nothing is said while it is not. */
async function pauseCheck(home: string): Promise<readonly Check[]> {
  if (!existsSync(join(home, "agentos.db"))) return [];
  try {
    const store = await openReadOnly(home);
    const paused = await allPaused({ store }).finally(() => store.close());
    if (paused === null) return [];
    const since = new Date(paused.sinceMs).toISOString();
    return [
      bad(
        "work",
        `everything was paused by ${paused.by} at ${since}${paused.reason === null ? "" : ` (${paused.reason})`}; no task is taken up`,
        "agentos daemon resume",
        false,
      ),
    ];
  } catch (error) {
    if (!isFailure(error)) throw error;
    return []; // The check of the database says what is wrong with it.
  }
}

/**
 * Which providers of models answer, and what is wrong with one that somebody configured. Never required: what needs no model works
 * without, and a task that needs one says so.
 */
async function providerChecks(home: string): Promise<readonly Check[]> {
  const path = (process.env["AGENTOS_LOGIN_PATH"] ?? process.env["PATH"] ?? "")
    .split(":")
    .filter((entry) => entry !== "");
  const providers = machineProviders(home, process.platform === "win32" ? [] : path);
  const store = await storedProviders(home);
  const seen = await seeProviders({
    store,
    providers,
    secrets: secrets({ home, environment: (name) => process.env[name] }),
  });
  const checks = seen.flatMap(({ provider: { id, facts }, configured, standing, place }): readonly Check[] => {
    const name = `provider ${id}`;
    switch (standing.status) {
      case "running":
      case "loading":
      case "starting":
      case "unknown":
        return [{ ...good(name, standing.detail), required: false }];
      default: {
        if (!configured) return [];
        const next = nextFor(id, facts.kind, standing, providers.platform, place.executable !== null);
        return [bad(name, standing.detail, next ?? `agentos provider show ${id}`, false)];
      }
    }
  });
  return checks.some(({ ok }) => ok)
    ? checks
    : [
        ...checks,
        bad(
          "models",
          "no provider of models answers, and no key of one is set; tasks with a plan file need none",
          `${nextFor("ollama", "ollama", { status: "absent", detail: "" }, providers.platform, false)}; or store a key: agentos provider key anthropic`,
          false,
        ),
      ];
}

/** What people configured, as far as the database can be read; its own check says what is wrong with it. */
async function storedProviders(home: string): Promise<{ readonly providers: ProviderReads }> {
  const nothing: ProviderReads = { provider: async () => null, providers: async () => [] };
  if (!existsSync(join(home, "agentos.db"))) return { providers: nothing };
  try {
    const store = await openReadOnly(home);
    try {
      const all = await store.providers.providers();
      const found = await Promise.all(all.map(({ id }) => store.providers.provider(id)));
      return {
        providers: {
          provider: async (id) => found.find((one) => one?.provider.id === id) ?? null,
          providers: async () => all,
        },
      };
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { providers: nothing };
  }
}

/** Policies that cannot be read: then every task is refused whatever it does. */
async function policyCheck(home: string): Promise<readonly Check[]> {
  if (!existsSync(join(home, "agentos.db"))) return [];
  try {
    const store = await openReadOnly(home);
    try {
      const policies = cedarPolicy(
        standingLayers({ ...store, onAppended: () => () => undefined }, userPolicyFile(join(home, "policy.cedar"))),
      );
      const projects = [null, ...(await store.projects.projects()).map(({ id }) => id)];
      const layers = (await Promise.all(projects.map((project) => policies.inForce(project)))).flatMap(
        (set) => set.layers,
      );
      const problem = layers.find((layer) => layer.problem !== null)?.problem ?? null;
      return problem === null
        ? []
        : [
            bad(
              "policy",
              `${problem}; until it can be read nothing is allowed`,
              "agentos policy show says which policies stand.",
            ),
          ];
    } finally {
      await store.close();
    }
  } catch (error) {
    if (!isFailure(error)) throw error;
    return []; // The check of the database says what is wrong with it.
  }
}

/** Whether the daemon listens. Not required: it is started when it is needed. */
async function portCheck(home: string): Promise<Check> {
  const announcement = join(home, "daemon.json");
  if (!existsSync(announcement))
    return { ...good("daemon", "not running; it is started when it is needed"), required: false };
  const { url } = JSON.parse(await readFile(announcement, "utf8")) as { readonly url: string };
  const { hostname, port } = new URL(url);
  return (await reachable(hostname.replace(/^\[|\]$/g, ""), Number(port)))
    ? { ...good("daemon", url), required: false }
    : bad(
        "daemon",
        `${url} does not answer; it seems to have died`,
        "agentos daemon start: it recovers by itself",
        false,
      );
}

function reachable(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

function existing(path: string): string {
  let here = path;
  while (!existsSync(here) && dirname(here) !== here) here = dirname(here);
  return here;
}
