import { describe, expect, it } from "vitest";
import { isFailure } from "./failure.ts";
import { isRemote, parseRemote, remoteName } from "./remote.ts";

describe("a url of a repository is", () => {
  it.each([
    ["https://git.example.com/team/app.git", "https", "git.example.com", null],
    ["https://ada@Git.Example.com:8443/team/app", "https", "git.example.com", 8443],
    ["http://127.0.0.1:3000/app.git", "http", "127.0.0.1", 3000],
    ["ssh://git@example.com:2222/team/app.git", "ssh", "example.com", 2222],
    ["git@example.com:team/app.git", "ssh", "example.com", null],
    ["example.com:app", "ssh", "example.com", null],
    ["ssh://git@[::1]/app", "ssh", "[::1]", null],
    ["git://example.com/app", "git", "example.com", null],
    ["file:///srv/git/app.git", "file", "", null],
  ])("%s", (url, scheme, host, port) => {
    expect(parseRemote(url)).toEqual({ url, scheme, host, port });
    expect(isRemote(url)).toBe(true);
  });
});

describe("refused, and its secret is not said again, is", () => {
  it.each([
    "https://ada:hunter2@example.com/app.git",
    "https://:hunter2@example.com/app.git",
    "ssh://git:hunter2@example.com/app.git",
    "ada:hunter2@example.com/app.git",
    "https://x-access-token:hunter2@example.com/app",
    "https://ghp_hunter2@example.com/app.git",
    "https://hunter2hunter2hunter2hunter2hunter2@example.com/app.git",
    "https://example.com/app?token=hunter2",
    "https://example.com/app hunter2",
  ])("%s", (url) => {
    let said: unknown = null;
    try {
      parseRemote(url);
    } catch (error) {
      said = error;
    }
    expect(isFailure(said, "repo/refused")).toBe(true);
    expect(`${String(said)} ${(said as { next: string }).next}`).not.toContain("hunter2");
  });
});

describe("what git would take for an option or a program is no url:", () => {
  it.each([
    "ext::sh -c id",
    "ext::id",
    "fd::17",
    "-oProxyCommand=id:x",
    "ssh://-oProxyCommand=id/x",
    "ssh://git@-host/x",
    "--upload-pack=id",
    "host:-x",
    "transport::https://example.com/x",
    "file://example.com/x",
    "https://example.com",
    "https:///x",
    "relative/path",
    "",
    "\u{1f600}:x",
    "constructor://host/x",
  ])("%j", (url) => expect(() => parseRemote(url)).toThrow(expect.objectContaining({ code: "repo/refused" })));
});

it.each([
  ["https://example.com/team/app.git", "app"],
  ["git@example.com:app", "app"],
  ["file:///srv/app.git/", "app"],
])("%s goes by the name %s", (url, name) => expect(remoteName(url)).toBe(name));
