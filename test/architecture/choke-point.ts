import type { Files } from "./import-rules.ts";
import { importsOf, tokensOf } from "./imports-of.ts";

/**
 * What has an effect outside the process, and the only files that may call for it. Everything a task does passes the broker; whoever else
 * stands here runs nothing that a task asked for, and says what it does instead.
 */
export const EFFECTS: readonly {
  readonly object: string;
  readonly method: string;
  readonly callers: Readonly<Record<string, string>>;
}[] = [
  {
    object: "sandbox",
    method: "run",
    callers: {
      "src/broker/confine.ts": "the broker",
      "src/broker/turn-client.ts": "the broker: terminals of an agent's turn",
      "src/main/confined-programs.ts": "asks programs for their version and place, on no mounts of a task",
    },
  },
  {
    object: "sandbox",
    method: "open",
    callers: {
      "src/broker/tools.ts": "the broker: a call of a configured tool",
      "src/broker/turn.ts": "the broker: a foreign agent's turn",
      "src/main/agent-trials.ts": "tries an agent a person names, in a scratch directory, on no mounts of a task",
      "src/main/offered-tools.ts": "asks a tool server that a person names what it offers, on no mounts of a task",
    },
  },
  {
    object: "egress",
    method: "open",
    callers: {
      "src/broker/confine.ts": "the broker",
      "src/broker/tools.ts": "the broker: a call of a configured tool",
      "src/broker/turn.ts": "the broker: a foreign agent's turn",
      "src/main/agent-trials.ts": "tries an agent a person names, with the hosts their project grants",
      "src/main/offered-tools.ts":
        "asks a tool server that a person names what it offers, with the hosts they grant it",
    },
  },
  {
    object: "workspaces",
    method: "writeFile",
    callers: {
      "src/broker/working.ts": "the broker",
      "src/broker/turn-client.ts": "the broker: files of an agent's turn",
    },
  },
  { object: "workspaces", method: "candidate", callers: { "src/broker/candidate.ts": "the broker" } },
  {
    object: "workspaces",
    method: "gateCheckout",
    callers: { "src/broker/gate.ts": "the broker", "src/broker/prepare.ts": "the broker" },
  },
  {
    object: "models",
    method: "call",
    callers: {
      "src/broker/talking.ts": "the broker",
      "src/app/chat/chat.ts": "a chat, which is no task's: it has a stream of its own, and nothing to act with",
      "src/app/probe-provider.ts": "a person's probe of a provider, about nothing that a task has",
    },
  },
];

/** Files that start processes, with what they start. What a task asked for is only ever started by the sandbox. */
export const STARTS: Readonly<Record<string, string>> = {
  "src/adapters/sandbox/output.ts": "the sandbox",
  "src/adapters/sandbox/start.ts": "the sandbox",
  "src/adapters/sandbox/bridge.mjs": "inside the sandbox: the confined command, behind a door to the proxy",
  "src/adapters/sandbox/self-test.ts": "the sandbox, tried with payloads of its own",
  "src/adapters/git/program.ts": "git, with an environment of its own",
  "src/adapters/git/kept-shell.ts": "the shells that start git",
  "src/adapters/git/removal.ts": "rm, for trees with odd modes",
  "src/adapters/providers/process-mark.ts": "ps, where there is no /proc, to tell one process from a later one",
  "src/adapters/providers/providers.ts": "LM Studio's application, when a person asks for it",
  "src/adapters/providers/run-program.ts": "a provider's own command: its version, lms",
  "src/adapters/providers/server-process.ts": "a provider's server, when a person asks for it",
  "src/adapters/system/agent-homes.ts": "cp, for the homes of agents",
  "src/adapters/system/layers.ts": "cp and rm, for dependency layers",
  "src/interfaces/cli/daemon-process.ts": "the daemon, from the command line",
  "src/interfaces/cli/web.ts": "the person's browser",
  "src/main/offline.ts": "what doctor looks at",
  "src/main/registries.ts": "npm and pip, for what the person's own clients are set to",
};

/** One sentence per call or start that stands in no table, and per row that nothing needs any more. */
export function aroundTheBroker(files: Files): readonly string[] {
  const found: string[] = [];
  const calls = new Set<string>();
  const starts = new Set<string>();
  for (const path of Object.keys(files).sort()) {
    if (!path.startsWith("src/") || path.endsWith(".test.ts")) continue;
    const tokens = tokensOf(files[path] ?? "");
    tokens.forEach((token, at) => {
      const [dot, name, open] = [tokens[at + 1]?.text, tokens[at + 2]?.text, tokens[at + 3]?.text];
      if (token.kind !== "word" || dot !== "." || open !== "(") return;
      for (const { object, method, callers } of EFFECTS) {
        if (token.text !== object || name !== method) continue;
        calls.add(`${object}.${method} ${path}`);
        if (callers[path] === undefined)
          found.push(`${path}:${token.line} calls ${object}.${method}; only ${Object.keys(callers).join(", ")} may.`);
      }
    });
    if (importsOf(tokens).some(({ from }) => from === "node:child_process")) {
      starts.add(path);
      if (STARTS[path] === undefined) found.push(`${path} starts processes; what a task does is run by the broker.`);
    }
  }
  for (const { object, method, callers } of EFFECTS)
    for (const path of Object.keys(callers))
      if (!calls.has(`${object}.${method} ${path}`)) found.push(`${path} calls ${object}.${method} no more.`);
  for (const path of Object.keys(STARTS)) if (!starts.has(path)) found.push(`${path} starts nothing any more.`);
  return found;
}
