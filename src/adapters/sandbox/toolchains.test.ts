import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toolchainsOn } from "./toolchains.ts";

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "agentos-toolchains-")));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const make = (...paths: readonly string[]): void => {
  for (const path of paths) mkdirSync(join(home, path), { recursive: true });
};
/** What is bound below the home for this PATH, with the home taken off. */
const boundFor = (...entries: readonly string[]) =>
  toolchainsOn(
    entries.map((entry) => join(home, entry)),
    [home],
  ).binds.map((path) => path.slice(home.length + 1));

test.each([
  [".nvm/versions/node/v20.1.0/bin", [".nvm/versions/node/v20.1.0"]],
  [".pyenv/shims", [".pyenv"]],
  [".volta/bin", [".volta"]],
  [".asdf/shims", [".asdf"]],
  [".sdkman/candidates/java/17.0.1/bin", [".sdkman/candidates/java/17.0.1"]],
  ["sdk/go1.22.1/bin", ["sdk/go1.22.1"]],
  ["project/.venv/bin", ["project/.venv"]],
  ["bin", ["bin"]],
  [".deno/bin", [".deno/bin"]],
])("for %s it binds %j", (entry, expected) => {
  make(entry);
  expect(boundFor(entry)).toEqual(expected);
});

test.each([
  [".pyenv/versions/3.12/bin", ".pyenv", "PYENV_ROOT"],
  [".rbenv/shims", ".rbenv", "RBENV_ROOT"],
  [".nodenv/shims", ".nodenv", "NODENV_ROOT"],
  [".volta/bin", ".volta", "VOLTA_HOME"],
  [".asdf/shims", ".asdf", "ASDF_DATA_DIR"],
  [".local/share/mise/shims", ".local/share/mise", "MISE_DATA_DIR"],
])("programs of %s find the rest of %s by %s, where the home is empty", (entry, root, variable) => {
  make(entry);
  expect(boundFor(entry)).toEqual([root]);
  expect(toolchainsOn([join(home, entry)], [home]).variables).toEqual({ [variable]: join(home, root) });
});

test("cargo brings its compilers, not its credentials", () => {
  make(".cargo/bin", ".cargo/registry", ".rustup/toolchains");
  expect(boundFor(".cargo/bin")).toEqual([".cargo/bin", ".rustup"]);
  expect(toolchainsOn([join(home, ".cargo/bin")], [home]).variables).toEqual({ RUSTUP_HOME: join(home, ".rustup") });
});

test("~/.local/bin brings the environments its programs live in, not all of ~/.local", () => {
  make(".local/bin", ".local/share/pipx/venvs/tool", ".local/share/keyrings");
  expect(boundFor(".local/bin")).toEqual([".local/bin", ".local/share/pipx/venvs"]);
});

test.each([
  [""],
  [".ssh"],
  [".ssh/bin"],
  [".config/composer/bin"],
  [".aws"],
  [".local"],
  [".local/share"],
  ["../"],
  [".gnupg"],
])("it never binds ~/%s", (entry) => {
  make(entry);
  expect(boundFor(entry)).toEqual([]);
});

test("a link on PATH does not lead around that", () => {
  make(".ssh");
  symlinkSync(home, `${home}-link`);
  symlinkSync(join(home, ".ssh"), join(home, "bin"));
  try {
    expect(toolchainsOn([`${home}-link`, join(home, "bin")], [home]).binds).toEqual([]);
  } finally {
    rmSync(`${home}-link`);
  }
});

test.each([
  ["/"],
  ["/etc"],
  ["/proc/self/cwd"],
  ["/run"],
  ["/var/lib"],
  ["/tmp"],
  ["/home"],
  ["relative/bin"],
  ["."],
  [""],
])("it never binds %j", (entry) => expect(toolchainsOn([entry], [home]).binds).toEqual([]));

test("another private directory is as closed as the home", () => {
  make("state/bin");
  expect(toolchainsOn([join(home, "state")], [join(home, "state/bin")]).binds).toEqual([]);
});

test("PATH keeps its order, follows links, drops what is missing or npm's, and ends with the system's", () => {
  make(
    "versions/2/bin",
    "a",
    "repo/node_modules/.bin",
    "repo/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin",
  );
  symlinkSync(join(home, "versions/2"), join(home, "current"));
  const entries = [
    "current/bin",
    "missing",
    "a",
    "repo/node_modules/.bin",
    "repo/node_modules/npm/node_modules/@npmcli/run-script/lib/node-gyp-bin",
  ];
  const { path } = toolchainsOn(["/usr/bin", ...entries.map((entry) => join(home, entry))], [home]);
  expect(path).toEqual(["/usr/bin", join(home, "versions/2/bin"), join(home, "a"), "/usr/local/bin", "/bin"]);
});
