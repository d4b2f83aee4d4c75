import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agentPrograms } from "./agent-program.ts";

let top: string;
beforeAll(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), "agentos-programs-")));
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

const made = (path: string, mode = 0o755): string => {
  const file = join(top, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, mode);
  return file;
};
const linked = (path: string, to: string): string => {
  mkdirSync(dirname(join(top, path)), { recursive: true });
  symlinkSync(to, join(top, path));
  return join(top, path);
};

describe("an agent's program", () => {
  test("of a package is the file behind the link, with all packages beside it", () => {
    const file = made("prefix/node_modules/@a/agent/node_modules/deep/bin.js");
    linked("prefix/bin/agent", file);
    expect(agentPrograms([]).find([join(top, "prefix/bin")], ["agent"], [])).toEqual({
      path: file,
      directories: [join(top, "prefix/node_modules")],
    });
  });

  test("of its own directory brings that directory, and the words that are files theirs", () => {
    const file = made("tool/agent");
    const word = made("data/rules.js", 0o644);
    expect(agentPrograms([]).find([join(top, "tool")], ["agent"], ["--flag", word, "/nowhere"])).toEqual({
      path: file,
      directories: [join(top, "tool"), join(top, "data")],
    });
  });

  test("brings no directory that lies in another it brings", () => {
    const file = made("nest/agent");
    const word = made("nest/inner/rules.js", 0o644);
    expect(agentPrograms([]).find([], [file], [word])).toMatchObject({ directories: [join(top, "nest")] });
  });

  test("of the system needs nothing", () => {
    expect(agentPrograms([]).find(["/usr/bin", "/bin"], ["env"], [])).toMatchObject({ directories: [] });
  });

  test("is the first name that is there, on the first place of the PATH that has it", () => {
    made("one/second");
    const first = made("two/first");
    const places = [join(top, "one"), join(top, "two")];
    expect(agentPrograms([]).find(places, ["first", "second"], [])).toMatchObject({ path: first });
  });

  test.each([
    ["that cannot be run", () => made("plain/agent", 0o644)],
    ["that is a directory", () => dirname(made("dir/agent/x"))],
    ["whose link leads nowhere", () => linked("broken/agent", "/nowhere/at/all")],
    ["that is named by a relative path", () => "./tool/agent"],
  ])("%s is none", (_, file) => expect(agentPrograms([]).find([top], [file()], [])).toBeNull());

  test("that would uncover a person's home or our own data is not started, and it says that its folder is why", () => {
    const file = made("home/ada/agent");
    const refused = (uncovered: string) => ({
      unusable: `is there, but its folder ${join(top, "home/ada")} may not be shown in the sandbox (it would show ${uncovered} as well); put it into a folder of its own`,
      next: "Put it into a folder of its own, and name that place.",
    });
    for (const kept of [join(top, "home/ada"), join(top, "home/ada/.agentos")])
      expect(agentPrograms([kept]).find([], [file], [file])).toEqual(refused(kept));
    expect(agentPrograms([join(top, "home/bob")]).find([], [file], [])).toMatchObject({ path: file });
    // Another of its names, or another place of the PATH, may still have one that can be used.
    const other = made("bin/agent");
    expect(agentPrograms([join(top, "home/ada")]).find([dirname(file), dirname(other)], ["agent"], [])).toMatchObject({
      path: other,
    });
  });

  test("that lies where everybody's things lie says so", () => {
    const file = `/tmp/agentos-agent-${process.pid}`;
    writeFileSync(file, "#!/bin/sh\n", { mode: 0o755 });
    try {
      expect(agentPrograms([]).find([], [file], [])).toEqual({
        unusable: `is there, but its folder /tmp may not be shown in the sandbox (all kinds of things lie there); put it into a folder of its own`,
        next: "Put it into a folder of its own, and name that place.",
      });
    } finally {
      rmSync(file);
    }
  });
});
