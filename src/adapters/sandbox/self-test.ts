import { execFile } from "node:child_process";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isFailure } from "../../domain/failure.ts";
import type { RunCommand, Sandbox, SandboxReport } from "../../ports/sandbox.ts";
import { sandboxMissing } from "./missing.ts";

/**
 * One command that must work, and a write, a read and a packet that must not. The script runs twice: here without the
 * sandbox, where all of it must succeed (else the test proves nothing), and inside.
 */
export const selfTest = async (
  run: Sandbox["run"],
  { program, filter }: { readonly program: string; readonly filter: Buffer | null },
): Promise<SandboxReport> => {
  const version = await bwrapVersion(program);
  const directory = await mkdtemp(join(tmpdir(), "agentos-self-test-"));
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  try {
    const secret = join(directory, "secret");
    const canary = join(directory, "canary");
    await writeFile(secret, "readable by whoever sees it\n");
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the test server has no port");
    const words = ["-e", PROBE, secret, canary, String(address.port)];

    const unguarded = parseProbe((await promisify(execFile)(process.execPath, words, { env: {} })).stdout);
    if (unguarded.write !== "done" || unguarded.read !== "done" || unguarded.packet !== "done" || connections !== 1) {
      throw new Error(`the self-test's control failed without a sandbox: ${JSON.stringify(unguarded)}`);
    }
    await rm(canary);

    const outcome = await run(probeCommand(words, join(directory, "output")), new AbortController().signal);
    const said = Buffer.from(outcome.stdout.bytes).toString("utf8");
    if (outcome.exitCode !== 0) {
      throw sandboxMissing(
        `The sandbox does not run commands: ${Buffer.from(outcome.stderr.bytes).toString("utf8").trim() || `one ended with ${outcome.exitCode ?? outcome.signal}`}`,
      );
    }
    const seen = parseProbe(said);
    const wrote = await access(canary).then(
      () => true,
      () => false,
    );
    const leaks = [
      ...(wrote ? [`a confined command wrote ${canary}`] : []),
      ...(seen.read === "done" ? [`a confined command read ${secret}`] : []),
      ...(seen.packet === "done" || connections !== 1 ? ["a confined command reached the host's loopback"] : []),
      ...(seen.uid === 0 ? ["a confined command runs as uid 0"] : []),
    ];
    if (leaks.length > 0) throw sandboxMissing(`The sandbox does not confine: ${leaks.join("; ")}.`);
    return {
      name: "bubblewrap",
      version,
      checks: [
        `a command ran as uid ${seen.uid} and ended with exit code 0`,
        `a write to ${canary} failed inside (${seen.write}) and succeeded outside`,
        `a read of ${secret} failed inside (${seen.read}) and succeeded outside`,
        `a connection to 127.0.0.1:${address.port} failed inside (${seen.packet}) and succeeded outside`,
        filter === null ? `no syscall filter is written for ${process.arch}` : "a syscall filter is in force",
      ],
    };
  } catch (error) {
    if (isFailure(error)) throw error;
    throw sandboxMissing("The sandbox's self-test could not be carried out.", error);
  } finally {
    server.close();
    await rm(directory, { recursive: true, force: true });
  }
};

const bwrapVersion = async (program: string): Promise<string> => {
  try {
    return (await promisify(execFile)(program, ["--version"])).stdout.trim().replace(/^bubblewrap /, "");
  } catch (error) {
    throw sandboxMissing(`${program} does not say its version.`, error);
  }
};

const NODE = "/run/agentos/node";

const PROBE = `
const fs = require("node:fs"), net = require("node:net");
const [secret, canary, port] = process.argv.slice(1);
const attempt = (act) => { try { act(); return "done"; } catch (error) { return error.code; } };
const seen = {
  uid: process.getuid(),
  read: attempt(() => fs.readFileSync(secret)),
  write: attempt(() => fs.writeFileSync(canary, "x")),
};
const tell = (packet) => process.stdout.write(JSON.stringify({ ...seen, packet }) + "\\n");
net.connect(Number(port), "127.0.0.1").once("error", (error) => tell(error.code)).once("connect", function () {
  this.once("close", () => tell("done")).resume().end();
});
`;

interface Probe {
  readonly uid: number;
  readonly read: string;
  readonly write: string;
  readonly packet: string;
}

const parseProbe = (stdout: string): Probe => {
  const seen: unknown = JSON.parse(stdout);
  const is = (value: unknown): value is Probe =>
    typeof value === "object" && value !== null && ["uid", "read", "write", "packet"].every((name) => name in value);
  if (!is(seen)) throw new Error(`the self-test's probe said ${stdout}`);
  return seen;
};

const probeCommand = (words: readonly string[], outputFile: string): RunCommand => ({
  argv: [NODE, ...words],
  cwd: "/tmp",
  mounts: [{ host: process.execPath, inside: NODE, access: "read" }],
  scratches: [],
  environment: {},
  toolPath: [],
  egressSocket: null,
  stall: null,
  limits: {
    wallMs: 20_000,
    memoryBytes: 1024 ** 3,
    processes: 128,
    outputBytes: 64 * 1024,
    fileBytes: 1024 ** 2,
  },
  outputFile,
  onStart: () => undefined,
});
