import { expect, test } from "vitest";
import { evidenceText } from "./evidence-text.ts";

const blob = (digest: string, bytes: number) => ({ digest, bytes });
const command = {
  kind: "command",
  argv: ["/bin/sh", "-c", "npm test"],
  exitCode: 0,
  signal: null,
  endedBy: "itself",
  durationMs: 12,
  stdout: blob("d1", 3),
  stderr: blob("d2", 0),
};
const PUT_OUT = "12 ms, stdout sha256 d1 (3 bytes), stderr sha256 d2 (0 bytes)";

test.each([
  [command, `command npm test: exit code 0, ${PUT_OUT}`],
  [{ ...command, exitCode: null, signal: "SIGSEGV" }, `command npm test: SIGSEGV, ${PUT_OUT}`],
  [{ ...command, exitCode: null, endedBy: "timeout" }, `command npm test: ended: timeout, ${PUT_OUT}`],
  [{ kind: "file", path: "a.txt", before: null, after: "h2" }, "file a.txt: none → h2"],
  [{ kind: "file", path: "a.txt", before: "h1", after: null }, "file a.txt: h1 → none"],
  [{ kind: "tree", repo: "app", before: "t1", after: "t2" }, "tree of app: t1 → t2"],
  [{ kind: "tree", repo: "app", before: "t1", after: "t1" }, "tree of app: t1, unchanged"],
  [{ kind: "mount", repo: "app", line: "/work app rw", readOnly: false }, "mount of app, writable: /work app rw"],
  [{ kind: "mount", repo: "app", line: "/work app ro", readOnly: true }, "mount of app, read-only: /work app ro"],
  [
    { kind: "tests", runner: "node", counts: { passed: 3, failed: 1, skipped: 2 }, report: blob("d3", 9) },
    "tests by node: 3 passed, 1 failed, 2 skipped, report sha256 d3",
  ],
  [{ kind: "artifact", name: "report.md", content: blob("d4", 9) }, "artifact report.md: sha256 d4 (9 bytes)"],
  [
    { kind: "egress", host: "registry.npmjs.org", port: 443, verdict: "allowed", bytesUp: 1, bytesDown: 2 },
    "connection to registry.npmjs.org:443: allowed, 1 bytes up, 2 down",
  ],
  [
    { kind: "decision", verdict: "ask", rule: "r", policy: "shipped:default", set: "h0" },
    "decision: asked and allowed by shipped:default, policies h0",
  ],
  [
    { kind: "decision", verdict: "allow", rule: "r", policy: "shipped:default", set: "h0" },
    "decision: allow by shipped:default, policies h0",
  ],
  [{ kind: "commit", repo: "app", commit: "c1", tree: "t1" }, "commit of app: c1, tree t1"],
  [{ kind: "program", name: "make", path: "/usr/bin/make" }, "program make: /usr/bin/make"],
  [{ kind: "program", name: "make", path: null }, "program make: not found"],
  [{ kind: "layer", repo: "app", key: "k1", files: 12, reused: false }, "dependencies of app: layer k1, 12 files"],
  [
    { kind: "layer", repo: "app", key: "k1", files: 12, reused: true },
    "dependencies of app: layer k1, 12 files, reused",
  ],
])("a piece of evidence is one line: %j", (piece, line) => expect(evidenceText(piece)).toBe(line));

test("evidence that this version does not know is shown as it is", () =>
  expect(evidenceText({ kind: "hologram", depth: 3 })).toBe('{"kind":"hologram","depth":3}'));
