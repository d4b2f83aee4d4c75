#!/usr/bin/env node
/**
 * Is this machine ready for AgentOS? Plain JavaScript for Node 18 and newer; needs no installation and changes nothing.
 *   node scripts/verify-doctor.mjs          one line per check: `ok` or `missing`, and what to do
 *   node scripts/verify-doctor.mjs --json   the same as one object
 * Exit code 0 when everything that is required is there, 1 otherwise.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statfsSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {boolean} ok
 * @property {boolean} required whether AgentOS cannot work without it
 * @property {string} found what was seen, with the actual values
 * @property {string | null} next what to type or do; null when it is ok
 */

const NODE_MIN = [22, 14];
const GIT_MIN = [2, 38];
const DISK_MIN_GIB = 2;
const PORT = 8000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const home = resolve(process.env.AGENTOS_HOME || join(homedir(), ".agentos"));

const checks = [node(), git(), sandbox(), disk(), dataDirectory(), await port()];
const ok = checks.every((check) => check.ok || !check.required);

if (process.argv.includes("--json")) {
  console.log(JSON.stringify({ ok, checks }, null, 2));
} else {
  const width = Math.max(...checks.map((check) => check.name.length));
  for (const { name, ok: fine, found, next, required } of checks) {
    const todo = next === null ? "" : `${required ? "" : " (not required)"}. Next: ${next}`;
    console.log(`${fine ? "ok     " : "missing"}  ${name.padEnd(width)}  ${found}${todo}`);
  }
  console.log(ok ? "Ready: ./agentos --help" : "Not ready yet: see what is missing above.");
}
process.exitCode = ok ? 0 : 1;

function node() {
  const bundled = join(root, "node_modules", ".bin", "node");
  const own = existsSync(bundled) ? run(bundled, ["--version"]) : null;
  if (own !== null && own.status === 0) return good("Node", `${own.stdout.trim()}, brought by set-up`);
  if (reaches(process.versions.node, NODE_MIN)) return good("Node", `${process.version}`);

  // Set-up brings a Node of its own where npm has one: Linux with glibc, on two kinds of machine.
  const brings =
    process.platform === "linux" &&
    ["x64", "arm64"].includes(process.arch) &&
    typeof process.report?.getReport()?.header?.glibcVersionRuntime === "string";
  const npm = run("npm", ["--version"]);
  if (brings && npm.status === 0)
    return good(
      "Node",
      `${process.version} is too old to run AgentOS, but enough to set it up: set-up brings Node 24 of its own`,
    );
  return bad(
    "Node",
    brings
      ? `${process.version}, and no npm to bring a newer one`
      : `${process.version}, and ${NODE_MIN.join(".")} is needed`,
    "install Node 24 from https://nodejs.org/en/download (npm comes with it)",
  );
}

function git() {
  const version = /\d+\.\d+(\.\d+)?/.exec(run("git", ["--version"]).stdout)?.[0];
  const next = `install git ${GIT_MIN.join(".")} or newer: ${packageLine("git")}`;
  if (version === undefined) return bad("git", "not found", next);
  return reaches(version, GIT_MIN)
    ? good("git", version)
    : bad("git", `${version}, and ${GIT_MIN.join(".")} is needed`, next);
}

/** Not only whether bubblewrap is there: a machine can have it and forbid it to work. */
function sandbox() {
  if (process.platform !== "linux")
    return bad(
      "sandbox",
      `${process.platform} has no bubblewrap`,
      "use a Linux machine or virtual machine; tasks cannot run here yet",
    );
  const version = run("bwrap", ["--version"]);
  if (version.status !== 0) return bad("sandbox", "bubblewrap (bwrap) not found", packageLine("bubblewrap"));

  const found = version.stdout.trim();
  const works = confined(["true"]);
  if (works.status !== 0) {
    const why = (works.stderr || works.error?.message || `exit code ${works.status}`).trim().split("\n").at(-1);
    return bad("sandbox", `${found} is installed but does not work: ${why}`, namespacesLine());
  }
  // The other half of the proof: what must not work, does not.
  const probe = `/tmp/agentos-doctor-probe-${process.pid}`;
  const escapes = confined(["sh", "-c", `echo x > ${probe}`]);
  rmSync(probe, { force: true });
  if (escapes.status === 0)
    return bad(
      "sandbox",
      `${found} let a write through a read-only mount`,
      "report this: the sandbox of this machine does not hold",
    );
  return good("sandbox", `${found}; a command ran in it, and a forbidden write was stopped`);
}

/** As root in two stages, as AgentOS itself does it: root's powers are dropped before the user namespace is made. */
function confined(command) {
  const mounts = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];
  const apart = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent"];
  const user = ["--unshare-user", "--disable-userns"];
  if (process.getuid?.() !== 0) return run("bwrap", [...mounts, ...apart, ...user, "--", ...command]);
  const drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--no-new-privs"];
  return run("bwrap", [...mounts, ...apart, "--", ...drop, "bwrap", "--dev-bind", "/", "/", ...user, "--", ...command]);
}

/** What to do depends on who forbids it. */
function namespacesLine() {
  if (setting("/proc/sys/kernel/unprivileged_userns_clone") === "0")
    return "sudo sysctl -w kernel.unprivileged_userns_clone=1";
  if (setting("/proc/sys/user/max_user_namespaces") === "0") return "sudo sysctl -w user.max_user_namespaces=15000";
  if (setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === "1")
    return "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give bwrap an AppArmor profile with `userns`";
  if (run("bwrap", ["--help"]).stdout.includes("--disable-userns") === false)
    return `install bubblewrap 0.8 or newer: ${packageLine("bubblewrap")}`;
  return "allow user namespaces here; in a container, start it with a seccomp profile that permits unshare and mount";
}

function disk() {
  const place = existingAncestor(home);
  const { bavail, bsize } = statfsSync(place);
  const gib = (bavail * bsize) / 2 ** 30;
  const found = `${gib.toFixed(1)} GiB free at ${place}`;
  return gib >= DISK_MIN_GIB
    ? good("disk", found)
    : bad(
        "disk",
        `${found}, and ${DISK_MIN_GIB} GiB are needed`,
        "free some space, or set AGENTOS_HOME to a directory on a larger disk",
      );
}

function dataDirectory() {
  const place = existingAncestor(home);
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    // Permissions are not all: the file system can be read-only, or full.
    rmdirSync(mkdtempSync(join(place, ".agentos-doctor-")));
    return good("data directory", `${home} can be written`);
  } catch (error) {
    return bad(
      "data directory",
      `${home} cannot be written: ${error.message}`,
      `make ${place} writable, or set AGENTOS_HOME to a directory that is`,
    );
  }
}

/** Not required: another port can be chosen, and a running AgentOS is the best reason for a port in use. */
async function port() {
  const name = `port ${PORT}`;
  const taken = await new Promise((done) => {
    const server = createServer();
    server.once("error", (error) => done(error.code ?? error.message));
    server.listen(PORT, "127.0.0.1", () => server.close(() => done(null)));
  });
  if (taken === null) return good(name, "free on 127.0.0.1");
  if (await isAgentOS()) return good(name, "AgentOS already runs there");
  return {
    ...bad(name, `in use by another program (${taken})`, `stop that program, or start AgentOS on another port`),
    required: false,
  };
}

function isAgentOS() {
  return new Promise((done) => {
    const request = get({ host: "127.0.0.1", port: PORT, path: "/api/openapi.json", timeout: 2000 }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
        if (text.length > 1e7) response.destroy();
      });
      response.on("close", () => done(/"title"\s*:\s*"AgentOS/.test(text)));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => done(false));
  });
}

/** @returns {Check} */
function good(name, found) {
  return { name, ok: true, required: true, found, next: null };
}

/** @returns {Check} */
function bad(name, found, next) {
  return { name, ok: false, required: true, found, next };
}

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: 10_000,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { status, stdout: stdout ?? "", stderr: stderr ?? "", error };
}

function reaches(version, [major, minor]) {
  const [hasMajor = 0, hasMinor = 0] = version.split(".").map(Number);
  return hasMajor > major || (hasMajor === major && hasMinor >= minor);
}

function existingAncestor(path) {
  let place = path;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}

function setting(path) {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null; // This kernel does not have the setting, so it forbids nothing.
  }
}

function packageLine(name) {
  const sudo = process.getuid?.() === 0 ? "" : "sudo ";
  const managers = {
    "apt-get": "install",
    dnf: "install",
    zypper: "install",
    pacman: "-S",
    apk: "add",
    brew: "install",
  };
  const found = Object.keys(managers).find((manager) => run(manager, ["--version"]).error === undefined);
  if (found === undefined) return `install ${name} with your system's package manager`;
  return found === "brew" ? `brew install ${name}` : `${sudo}${found} ${managers[found]} ${name}`;
}
