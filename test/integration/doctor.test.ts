import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it, vi } from "vitest";
import { SCHEMA_VERSION } from "../../src/adapters/store/migrate.ts";
import { KEY_NAMES } from "../../src/domain/provider-facts.ts";
import { type Check, offline } from "../../src/main/offline.ts";
import { temporaryDirectory } from "../support/daemon.ts";
import { type FakeServer, ollamaServer } from "../support/fake-providers.ts";
import { freePort } from "../support/free-port.ts";
import { ADA, startRig } from "./task-kit.ts";

/* What a person is told of a machine that lacks something. The sandbox, the database and the servers are real; git is a script that says its version. */

const servers: FakeServer[] = [];
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const server of servers) await server.close();
});

/** The only directory in which commands are found. */
let commands: string;
beforeEach(async () => {
  commands = temporaryDirectory("commands");
  vi.stubEnv("PATH", commands);
  vi.stubEnv("AGENTOS_LOGIN_PATH", commands);
  vi.stubEnv("HOME", temporaryDirectory("person"));
  vi.stubEnv("OLLAMA_HOST", `127.0.0.1:${await freePort()}`);
  for (const name of Object.values(KEY_NAMES)) if (name !== null) vi.stubEnv(name, undefined);
});

const git = (version: string): void =>
  writeFileSync(join(commands, "git"), `#!/bin/sh\necho git version ${version}\n`, { mode: 0o755 });

async function doctor(home: string, { fix = false, dryRun = false } = {}) {
  const { ready, checks } = await offline.doctor(home, { fix, dryRun });
  const named = (name: string): Omit<Check, "name"> | null => {
    const found = checks.find((one) => one.name === name);
    if (found === undefined) return null;
    const { name: _, ...said } = found;
    return said;
  };
  return { ready, names: checks.map(({ name }) => name), named };
}

const good = (detail: string, more: Partial<Check> = {}) => ({
  ok: true,
  required: true,
  detail,
  next: null,
  fixed: false,
  ...more,
});
const bad = (detail: string, next: string, required = true) => ({ ok: false, required, detail, next, fixed: false });

describe("the doctor", () => {
  it("is not content without git, or with one that is too old, and says how to get one", async () => {
    const home = temporaryDirectory("home");
    const without = await doctor(home);
    expect([without.ready, without.named("git")]).toEqual([
      false,
      bad("git does not run", "sudo apt-get install -y git"),
    ]);
    git("2.37.9");
    const old = await doctor(home);
    expect([old.ready, old.named("git")]).toEqual([
      false,
      bad("git version 2.37.9 is too old", "Install git 2.38 or newer: sudo apt-get install -y git"),
    ]);
  });

  it("makes a data directory that is missing only when it is told to mend, and says before what it would do", async () => {
    git("2.38.0");
    const home = join(temporaryDirectory("parent"), "below", "home");
    expect((await doctor(home)).named("data directory")).toEqual(good(`${home} will be made on first use`));
    expect((await doctor(home, { fix: true, dryRun: true })).named("data directory")).toEqual(
      good(`With --fix this would make ${home}`),
    );
    expect(existsSync(home)).toBe(false);
    const fixed = await doctor(home, { fix: true });
    expect(fixed.named("data directory")).toEqual(good(`${home} was made`, { fixed: true }));
    expect(fixed.named("git")).toEqual(good("git version 2.38.0"));
    expect(statSync(home).mode & 0o777).toBe(0o700);
    expect(fixed.named("database")).toEqual(good("none yet; it is made on first use"));
  });

  it("says that a database holds nothing, once, and looks at everything else all the same", async () => {
    git("2.45.1");
    const home = temporaryDirectory("home");
    writeFileSync(join(home, "agentos.db"), "");
    const { ready, names, named } = await doctor(home);
    expect([ready, names.slice(0, 6)]).toEqual([
      false,
      ["node", "git", "sandbox", "data directory", "disk", "database"],
    ]);
    expect(names.filter((name) => name === "work" || name === "policy")).toEqual([]);
    expect(names.slice(6)).toEqual(["daemon", "models"]);
    expect(named("database")).toEqual(
      bad(
        `the database has schema 0, this AgentOS reads schema ${SCHEMA_VERSION}`,
        "Start the daemon once (agentos daemon start): it migrates the database and keeps a copy.",
      ),
    );
  });

  it("says that what lies in the database's place is none", async () => {
    git("2.45.1");
    const home = temporaryDirectory("home");
    writeFileSync(
      join(home, "agentos.db"),
      "a text that somebody put here, longer than the header of a database is: ".repeat(2),
    );
    expect((await doctor(home)).named("database")).toEqual(
      bad(
        "agentos.db cannot be read as a database: file is not a database",
        "Put a copy in its place (agentos.db.before-N beside it is one), or point AGENTOS_HOME elsewhere.",
      ),
    );
  });

  it("names the providers that answer, and of those that do not only what a person configured", async () => {
    git("2.45.1");
    const ollama = await ollamaServer({});
    servers.push(ollama);
    const { home, system, stop } = await startRig();
    const port = await freePort();
    await system.cases.providers.add(ADA, {
      id: "mine",
      kind: "openai-compatible",
      baseUrl: `http://127.0.0.1:${port}/v1`,
    });
    await stop();
    vi.stubEnv("OLLAMA_HOST", `127.0.0.1:${ollama.port}`);
    const { ready, names, named } = await doctor(home);
    expect(ready).toBe(true);
    expect(names.filter((name) => /^provider |^models$/.test(name))).toEqual(["provider ollama", "provider mine"]);
    expect(named("provider ollama")).toEqual(good(`it answers at ${ollama.url} (0.12.6)`, { required: false }));
    expect(named("provider mine")).toEqual(
      bad(`nobody answers at http://127.0.0.1:${port}/v1`, "Start it where it runs.", false),
    );
  });

  it("says of a daemon that died that it did", async () => {
    git("2.45.1");
    const home = temporaryDirectory("home");
    const url = `http://127.0.0.1:${await freePort()}`;
    writeFileSync(join(home, "daemon.json"), JSON.stringify({ pid: 1, url }));
    const { ready, named } = await doctor(home);
    expect([ready, named("daemon")]).toEqual([
      true,
      bad(`${url} does not answer; it seems to have died`, "agentos daemon start: it recovers by itself", false),
    ]);
  });
});
