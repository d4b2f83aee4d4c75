import { describe, expect, it } from "vitest";
import { parseRemote } from "../../domain/remote.ts";
import { refusalOfPush, tellable, troubleWith } from "./remote-trouble.ts";

const REMOTE = parseRemote("https://git.example.com/app.git");
const said = (stderr: string) => troubleWith(REMOTE, { stderr, timedOutAfterMs: null, secrets: ["t0k/en=="] });

describe("what git, curl and ssh write under LC_ALL=C is", () => {
  it.each([
    ["Host key verification failed.\nfatal: Could not read from remote repository.", "remote/host-unknown"],
    ["@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @", "remote/host-unknown"],
    ["No ED25519 host key is known for git.example.com and you have requested strict checking.", "remote/host-unknown"],
    ["fatal: unable to access 'https://h/': SSL certificate problem: self-signed certificate", "remote/host-unknown"],
    [
      "fatal: unable to access 'https://h/': server certificate verification failed. CAfile: none",
      "remote/host-unknown",
    ],
    ["fatal: could not read Username for 'https://h': terminal prompts disabled", "remote/auth-needed"],
    ["remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://h/app.git/'", "remote/auth-refused"],
    ["git@h: Permission denied (publickey,password).", "remote/auth-refused"],
    ["fatal: unable to access 'https://h/': The requested URL returned error: 403", "remote/auth-refused"],
    ["fatal: repository 'https://h/app.git/' not found", "remote/not-found"],
    ["ERROR: Repository not found.\nfatal: Could not read from remote repository.", "remote/not-found"],
    ["fatal: '/srv/app.git' does not appear to be a git repository", "remote/not-found"],
    ["fatal: unable to access 'https://h/': Operation too slow. Less than 100 bytes/sec", "remote/timeout"],
    ["ssh: connect to host h port 22: Connection timed out", "remote/timeout"],
    ["ssh: connect to host h port 22: Connection refused", "remote/unreachable"],
    ["ssh: Could not resolve hostname h: Name or service not known", "remote/unreachable"],
    ["fatal: unable to access 'https://h/': Could not resolve host: h", "remote/unreachable"],
    ["error: RPC failed; HTTP 500 curl 22 The requested URL returned error: 500", "remote/unreachable"],
    ["fatal: the remote end hung up unexpectedly", "remote/unreachable"],
  ])("%s", (stderr, code) => expect(said(stderr).code).toBe(code));

  it("told in the server's own words when it is none of these, without secrets, in one bounded line", () => {
    const failure = said("fatal: odd\tthing with t0k/en== and t0k%2Fen%3D%3D and dDBrL2VuPT0=\u001b[31m");
    expect(failure.code).toBe("remote/failed");
    expect(failure.message).toBe(
      "git could not talk to https://git.example.com/app.git: fatal: oddthing with [secret] and [secret] and [secret]=[31m",
    );
  });
});

describe("a push that is not taken was refused", () => {
  it.each([
    ["[rejected] (stale info)", "remote/moved"],
    ["[rejected] (fetch first)", "remote/moved"],
    ["[rejected] (non-fast-forward)", "remote/moved"],
    ["[remote rejected] (cannot lock ref 'refs/heads/main': is at 1 but expected 2)", "remote/moved"],
    ["[remote rejected] (protected branch hook declined)", "remote/protected"],
    ["[remote rejected] (pre-receive hook declined)", "remote/protected"],
    ["[remote rejected] (branch is currently checked out)", "remote/protected"],
    ["[remote rejected] (unpacker error)", "remote/failed"],
  ])("%s: %s", (summary, code) => {
    const failure = refusalOfPush(REMOTE, "main", summary, "remote: GH006: no t0k/en==\nhint: x", ["t0k/en=="]);
    expect(failure.code).toBe(code);
    expect(failure.message).not.toContain("t0k/en");
    if (code === "remote/protected") expect(failure.message).toContain("it says: GH006: no [secret]");
  });
});

it("a name before the @ of a url is not told either", () =>
  expect(tellable("at https://ada:x@git.example.com/y", [])).toBe("at https://git.example.com/y"));
