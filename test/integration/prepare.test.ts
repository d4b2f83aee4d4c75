import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { egressProxy } from "../../src/adapters/egress/proxy.ts";
import type { EvidenceView } from "../../src/contract/views.ts";
import { git, type TestDaemon, temporaryDirectory, waitForStatus, withDaemon } from "../support/daemon.ts";

/*
 * Dependencies through the egress proxy, with the real npm and a registry of the test's own. Its name resolves to loopback only
 * for the proxy: nothing inside the sandbox can reach it but through the door.
 */

const REGISTRY = "registry.test";
let registry: Server;
let port: number;
let daemon: TestDaemon;
let asked: string[];

/** A package as `npm pack` makes it, served with its metadata. */
function packed(
  name: string,
  files: Readonly<Record<string, string>>,
): { readonly tarball: Buffer; readonly integrity: string } {
  const directory = join(temporaryDirectory("package"), name);
  mkdirSync(directory, { recursive: true });
  for (const [path, content] of Object.entries(files)) writeFileSync(join(directory, path), content);
  execFileSync("npm", ["pack", "--silent"], { cwd: directory, env: { PATH: process.env["PATH"], HOME: directory } });
  const tarball = readFileSync(join(directory, `${name}-1.0.0.tgz`));
  return { tarball, integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}` };
}

const manifest = (name: string, more: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({ name, version: "1.0.0", main: "index.js", ...more });
const PACKAGES = {
  "good-dep": packed("good-dep", { "package.json": manifest("good-dep"), "index.js": "module.exports = 42;\n" }),
  "curious-dep": packed("curious-dep", {
    "package.json": manifest("curious-dep", { scripts: { postinstall: "node reach.js" } }),
    "index.js": "module.exports = 42;\n",
    "reach.js":
      'const { connect } = require("node:http");\nconst { request } = require("node:http");\nconst proxy = new URL(process.env.HTTP_PROXY);\nrequest({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: "elsewhere.test:443" }).on("connect", (answer) => { console.log(answer.statusCode); process.exit(0); }).on("error", () => process.exit(0)).end();\n',
  }),
};
type Package = keyof typeof PACKAGES;

beforeAll(async () => {
  asked = [];
  registry = createServer((request, response) => {
    asked.push(request.url ?? "");
    const name = (Object.keys(PACKAGES) as Package[]).find((one) => (request.url ?? "").startsWith(`/${one}`));
    if (name === undefined) return void response.writeHead(404).end("{}");
    const { tarball, integrity } = PACKAGES[name];
    if (request.url?.endsWith(".tgz")) return void response.end(tarball);
    const version = { ...JSON.parse(manifest(name)), dist: { tarball: tarballUrl(name), integrity } };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name, "dist-tags": { latest: "1.0.0" }, versions: { "1.0.0": version } }));
  });
  registry.listen(0, "127.0.0.1");
  await once(registry, "listening");
  port = (registry.address() as AddressInfo).port;
  daemon = await withDaemon({
    adapters: { egress: egressProxy({ resolve: async () => ["127.0.0.1"] }), allowPrivate: [{ host: REGISTRY, port }] },
  });
});

afterAll(async () => {
  registry.close();
  registry.closeAllConnections();
});

const tarballUrl = (name: string): string => `http://${REGISTRY}:${port}/${name}/-/${name}-1.0.0.tgz`;

function repositoryNeeding(name: Package, { hasInstallScript = false, url = tarballUrl(name) } = {}): string {
  const repository = join(temporaryDirectory("repo"), "needs");
  mkdirSync(join(repository, "test"), { recursive: true });
  const packageJson = {
    name: "needs",
    version: "1.0.0",
    private: true,
    scripts: { test: "node --test" },
    dependencies: { [name]: "1.0.0" },
  };
  const { integrity } = PACKAGES[name];
  const entry = { version: "1.0.0", resolved: url, integrity, ...(hasInstallScript && { hasInstallScript }) };
  const lock = {
    name: "needs",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": { name: "needs", version: "1.0.0", dependencies: packageJson.dependencies },
      [`node_modules/${name}`]: entry,
    },
  };
  writeFileSync(join(repository, "package.json"), JSON.stringify(packageJson));
  writeFileSync(join(repository, "package-lock.json"), JSON.stringify(lock));
  writeFileSync(join(repository, ".npmrc"), `registry=http://${REGISTRY}:${port}/\n`);
  writeFileSync(join(repository, ".gitignore"), "node_modules\n");
  writeFileSync(
    join(repository, "test", "dep.test.js"),
    `const test = require("node:test");\ntest("it is there", () => require("node:assert").equal(require("${name}"), 42));\n`,
  );
  git(join(repository), "init", "--quiet", "--initial-branch=main");
  git(repository, "add", "--all");
  git(repository, "commit", "--quiet", "--message", "Begin");
  return repository;
}

async function runGates(repository: string): Promise<string> {
  const { project } = await daemon.api.projectOfPath({ path: repository });
  const { id } = await daemon.api.createTask({
    title: "Run tests and generate report",
    project: project.name,
    run_mode: "autonomous",
  });
  await daemon.api.freezeTask(id);
  await daemon.api.readyTask(id);
  return id;
}

type Evidence = {
  readonly kind: string;
  readonly host?: string;
  readonly verdict?: string;
  readonly reused?: boolean;
  readonly bytesDown?: number;
};
const evidenceOf = (view: EvidenceView, kind: string): Evidence[] =>
  view.steps
    .filter((step) => step.kind === "prepare")
    .flatMap((step) => step.evidence as unknown as Evidence[])
    .filter((one) => one.kind === kind);

test("dependencies are installed through the proxy from the hosts of the lock file, and the layer is used again by the next task", async () => {
  const repository = repositoryNeeding("good-dep");
  const first = await runGates(repository);
  await waitForStatus(daemon.api, first, ["succeeded"]);
  const connections = evidenceOf(await daemon.api.evidence(first), "egress");
  expect(connections.length).toBeGreaterThan(0);
  for (const { host, verdict } of connections)
    expect({ host, verdict }).toEqual({ host: REGISTRY, verdict: "allowed" });
  const spoken = asked.length;
  expect(spoken).toBeGreaterThan(0);

  const second = await runGates(repository);
  await waitForStatus(daemon.api, second, ["succeeded"]);
  expect(asked.length).toBe(spoken);
  expect(evidenceOf(await daemon.api.evidence(second), "egress")).toEqual([]);
  expect(evidenceOf(await daemon.api.evidence(second), "layer").map(({ reused }) => reused)).toEqual([true, true]);
});

test("an install script that reaches for a host nobody opened is refused, on record, and reaches nothing", async () => {
  const id = await runGates(repositoryNeeding("curious-dep", { hasInstallScript: true }));
  await waitForStatus(daemon.api, id, ["succeeded"]);
  const refused = evidenceOf(await daemon.api.evidence(id), "egress").filter(({ host }) => host === "elsewhere.test");
  expect(refused).toEqual([
    expect.objectContaining({ host: "elsewhere.test", port: 443, verdict: "denied", bytesDown: 0 }),
  ]);
  const { items } = await daemon.api.taskEvents(id, 0, 1_000);
  expect(items.filter(({ type }) => type === "DENIED").map(({ sentence }) => sentence)).toEqual([
    expect.stringContaining("connect to elsewhere.test:443"),
  ]);
});

test("dependencies that cannot be installed make the task wait, and say what the installer said", async () => {
  const repository = repositoryNeeding("good-dep", { url: `http://${REGISTRY}:${port}/missing/-/missing-1.0.0.tgz` });
  const id = await runGates(repository);
  const task = await waitForStatus(daemon.api, id, ["blocked"]);
  expect(task.block_reason).toBe("prepare_failed");
  expect(task.waiting?.sentence).toContain("npm ci");
  expect(task.waiting?.next).toContain("agentos task resume");
});
