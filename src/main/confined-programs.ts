import { randomUUID } from "node:crypto";
import type { RunFiles } from "../adapters/system/run-files.ts";
import type { Sandbox } from "../ports/sandbox.ts";

const LIMITS = { wallMs: 30_000, memoryBytes: 1024 ** 3, processes: 64, outputBytes: 65_536, fileBytes: 1024 ** 2 };

/** Where a program resolves for confined commands with this PATH: asked in the sandbox itself, so that it is what a gate will get. */
export async function confinedProgram(
  sandbox: Sandbox,
  files: RunFiles,
  toolPath: readonly string[],
  program: string,
): Promise<string | null> {
  const said = await ask(sandbox, files, toolPath, [
    "/bin/sh",
    "-c",
    'p=$(command -v -- "$1") && readlink -f -- "$p"',
    "sh",
    program,
  ]);
  return said === "" ? null : said;
}

/** What `--version` of the program and of node say, one line each; a program that is not there gives an empty line. */
export async function confinedVersions(
  sandbox: Sandbox,
  files: RunFiles,
  toolPath: readonly string[],
  program: string,
): Promise<readonly string[]> {
  const said = await ask(sandbox, files, toolPath, [
    "/bin/sh",
    "-c",
    '"$1" --version 2>/dev/null | head -n 1; node --version 2>/dev/null',
    "sh",
    program,
  ]);
  return said.split("\n");
}

async function ask(
  sandbox: Sandbox,
  files: RunFiles,
  toolPath: readonly string[],
  argv: readonly string[],
): Promise<string> {
  const name = randomUUID();
  const directory = await files.directory("ask", name, 1);
  try {
    const outcome = await sandbox.run(
      {
        argv,
        cwd: "/tmp",
        mounts: [],
        scratches: [],
        environment: {},
        toolPath,
        egressSocket: null,
        stall: null,
        limits: LIMITS,
        outputFile: `${directory}/output`,
        onStart: () => undefined,
      },
      AbortSignal.timeout(LIMITS.wallMs),
    );
    return outcome.exitCode === 0 ? new TextDecoder().decode(outcome.stdout.bytes).trim() : "";
  } finally {
    await files.drop("ask", name, 1);
  }
}
