import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reduceCommand } from "./shell.ts";

const shell = (text: string) => reduceCommand(["/bin/sh", "-c", text]);
/** What a text runs, without the shell that reads it. */
const runs = (text: string): readonly string[] =>
  shell(text)
    .argvs.slice(1)
    .map((argv) => argv.join(" "));

describe("a command, reduced to what it runs", () => {
  it.each([
    ["npm test", ["npm test"]],
    ["a && b || c; d | e & f\ng", ["a", "b", "c", "d", "e", "f", "g"]],
    ["(cd x && 'npm' \"test\")", ["cd x", "npm test"]],
    ["if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]],
    ["while a; do b; done < file", ["a", "b"]],
    ["! a; { b; }", ["a", "b"]],
    ["A=1 B='x y' a b", ["a b"]],
    ["a # b; c", ["a"]],
    ["a#b", ["a#b"]],
    ["a \\\n  b", ["a b"]],
    ["a 'x y' \\\n  -- b # c \\\nd", ["a x y -- b", "d"]],
    ["a \\\\\nb", ["a \\", "b"]],
    ["for f do a; done", ["a"]],
    ["for f\nin b c\ndo a; done", ["a"]],
    ["a &>/dev/null", ["a"]],
    ["a &> f", ["a", "a"]],
    ["a &>/dev/null b", ["a b", "a", "b"]],
    ["a {} stash@{0} HEAD@{1}..HEAD@{2}", ["a {} stash@{0} HEAD@{1}..HEAD@{2}"]],
    ["time -p a", ["a", "time -p a", "a"]],
    ["cat <<E\na\\\nE\nE\nb", ["cat", "b"]],
    ["trap -- 'rm -f x' EXIT", ["trap -- rm -f x EXIT", "rm -f x"]],
    ["env -iu A a b", ["env -iu A a b", "a b"]],
    ["timeout --sig KILL -vk1 5 a", ["timeout --sig KILL -vk1 5 a", "a"]],
    ["xargs -rn 1 a", ["xargs -rn 1 a", "a"]],
    ["a > f 2>&1 < g", ["a"]],
    ["cat <<'E' | grep x\na; b\nE\nc", ["cat", "grep x", "c"]],
    [
      "env A=1 nice -n 5 timeout 9 nohup a b",
      [
        "env A=1 nice -n 5 timeout 9 nohup a b",
        "nice -n 5 timeout 9 nohup a b",
        "timeout 9 nohup a b",
        "nohup a b",
        "a b",
      ],
    ],
    [
      "find . -name '*.o' -exec rm {} + -exec wc -l {} ';'",
      ["find . -name *.o -exec rm {} + -exec wc -l {} ;", "rm {}", "wc -l {}"],
    ],
    ["bash -euo pipefail -c 'a; b'", ["bash -euo pipefail -c a; b", "a", "b"]],
    ["git bisect run npm test", ["git bisect run npm test", "npm test"]],
    ["trap 'rm -f x' EXIT", ["trap rm -f x EXIT", "rm -f x"]],
  ])("%s", (text, expected) => {
    expect(runs(text)).toEqual(expected);
    expect(shell(text).opaque).toEqual([]);
  });

  it("given as words is these words: nothing in them is read by a shell", () =>
    expect(reduceCommand(["echo", "$(a)", "; b"])).toEqual({
      argvs: [["echo", "$(a)", "; b"]],
      writes: [],
      opaque: [],
    }));

  it("names the files that a shell writes for it", () =>
    expect(shell("a > one 2>> two; b >| three; c 2>/dev/null >&2").writes).toEqual(["one", "two", "three"]));

  it("is read through however many others stand before it", () =>
    expect(runs(`${"true && ".repeat(5_000)}touch X`).at(-1)).toBe("touch X"));

  it("is opaque when it is too deep or too long to be read", () => {
    expect(reduceCommand([...Array.from({ length: 12 }, () => "nohup"), "a"]).opaque).toEqual([
      "commands within commands, too deep",
    ]);
    expect(reduceCommand(["a", "x".repeat(300_000)]).opaque).toEqual(["it is too long to be read"]);
  });

  it.each([
    ["$x", "a variable"],
    ["a $(b)", "a command substitution"],
    ["a `b`", "a command substitution"],
    ["{a,b}", "braces"],
    ["a*", "a program that is named by a pattern"],
    ["find *", "names of files that could be options"],
    ["a <(b)", "a process substitution"],
    ["echo $((1+1))", "an arithmetic expansion"],
    ["case a in esac", "`case`"],
    ["a 'b", "a quotation without its end"],
    ["cat <<E\na", "a here-document without its end"],
    ["cat <<E\n$(a)\nE", "an expansion in a here-document"],
    ["base64 -d x | sh", "a shell that reads what it runs"],
    ["python3 -c 'x'", "python runs a text that is no command"],
    ["PATH=. ls", "PATH changes what runs"],
    ["git z", "git z is not a command of git"],
    [">| X", "the shell itself writes a file"],
    ["{fd}>f a", "a descriptor of bash's own"],
    ["12>f a", "a descriptor of bash's own"],
    ["env /usr/bin/t?uch X", "a program that is named by a pattern"],
    ["timeout --slowly 5 a", "an option of timeout that is not known"],
    ["let 'a[$(b)]'", "arithmetic"],
    ["zsh -c 'repeat 1 a'", "zsh knows more words than are read here"],
    ["a\u0007", "control characters"],
  ])("%j is opaque: %s", (text, why) => expect(shell(text).opaque).toContain(why));
});

const list = <T>(name: string): T =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../../test/fixtures/commands", name), "utf8")) as T;
const { touch: EVASIONS } = list<{ touch: Readonly<Record<string, readonly string[]>> }>("evasions.json");
const { commands: ORDINARY } = list<{ commands: readonly string[] }>("ordinary.json");

describe("what hides touch", () => {
  it.each(Object.entries(EVASIONS))("%s: each shows it, or is opaque", (_row, texts) =>
    expect(
      texts.filter((text) => {
        const { argvs, opaque } = shell(text);
        return opaque.length === 0 && !argvs.some(([name = ""]) => name.endsWith("touch"));
      }),
    ).toEqual([]),
  );
});

const { rows: HIDDEN } = list<{ rows: readonly (readonly [shells: string, text: string, said: string])[] }>(
  "hidden.json",
);

describe("what runs touch, or makes the file by another program, and does not look it", () => {
  it.each(HIDDEN)("in %s, %j, is %s", (shells, text, said) => {
    for (const program of shells.split(" ")) {
      const { argvs, opaque } = reduceCommand([program, "-c", text]);
      const seen = argvs.some(([name = ""]) => name.endsWith("touch"));
      expect([seen ? "seen" : "", opaque.length > 0 ? "opaque" : ""].filter((word) => word !== "").join(" and ")).toBe(
        said,
      );
    }
  });
});

describe("a text that was made to be hard to read", () => {
  it.each(["$(", "$((", "${a:-", "`", "(", "((", "<(", '"$(', "{a,", "\\\n", "<<E ", "case a in "])(
    "%j ten thousand times is read to its end, and what comes before it is seen",
    (part) => expect(runs(`touch X; ${part.repeat(10_000)}`)[0]).toBe("touch X"),
  );

  it.each(["a ;", " ", "p;", "1,", "s/a/b/;", "b "])(
    "%j ten thousand times is a program of sed like any other",
    (part) => expect(reduceCommand(["sed", `${part.repeat(10_000)}\u0001`]).opaque.length).toBeLessThanOrEqual(1),
  );
});

describe("what developers type all day", () => {
  it("is at least 300 commands, of which at most one in a hundred is opaque", () => {
    expect(new Set(ORDINARY).size).toBeGreaterThanOrEqual(300);
    const opaque = ORDINARY.filter((text) => shell(text).opaque.length > 0);
    expect(opaque).toEqual(["echo 'export const a = 1;' >> src/a.ts"]);
  });
});

/** A small generator with a seed: texts of the words and signs that a shell gives a meaning to. */
function texts(seed: number, count: number): readonly string[] {
  let state = seed;
  const below = (most: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
  const pick = (from: readonly string[]): string => from[below(from.length)] ?? "";
  const WORDS = [
    "p1",
    "p2",
    "'p1'",
    'p"2"',
    "\\p1",
    "''p2",
    "x",
    "'a b'",
    '"c;p2"',
    "#",
    "$V",
    "$(p1)",
    "`p2`",
    "{p1,x}",
    "A=p1",
    "if",
    "then",
    "fi",
    "{",
    "}",
    "!",
    "do",
    "done",
    "while",
    "for",
    "in",
    "(",
    ")",
    "-x",
    "nohup",
    "env",
    "sh -c",
    "'p1 y'",
    "command",
    "~",
    "*",
    "cat",
    "<<E",
    "E",
    "\\",
    "time",
    "exec",
    "nice",
    "xargs",
  ];
  const SIGNS = [
    " ",
    " ",
    " ",
    " ; ",
    " && ",
    " || ",
    " | ",
    "\n",
    " & ",
    ";",
    "&&",
    " > /dev/null ",
    " 2>&1 ",
    "",
    " < /dev/null ",
  ];
  return Array.from({ length: count }, () => {
    let text = pick(["p1", "p2", "if p1", "(p1", "{ p2", "sh -c"]);
    for (let n = below(7) + 1; n > 0; n -= 1) text += pick(SIGNS) + pick(WORDS);
    return text;
  });
}

describe("beside a real shell", () => {
  it.each(["sh", "bash"])("%s runs nothing that was not seen, unless the text is opaque", (program) => {
    const at = mkdtempSync(join(tmpdir(), "agentos-shell-"));
    try {
      for (const name of ["p1", "p2"]) {
        writeFileSync(join(at, name), `#!/bin/sh\nprintf '%s\\0' "$CASE" ${name} "$@" '' >> ${at}/log\n`);
        chmodSync(join(at, name), 0o755);
      }
      const plain = texts(20_261, 6_000).filter((text) => shell(text).opaque.length === 0 && /p[12]/.test(text));
      const tried = plain.filter((_, index) => index % Math.ceil(plain.length / 160) === 0);
      expect(tried.length).toBeGreaterThan(60);
      // One shell reads all of them, each in a process of its own; what is not a text to it runs nothing.
      writeFileSync(
        join(at, "cases"),
        tried
          .map(
            (text, index) =>
              `CASE=${index} ${program} -c '${text.replaceAll("'", "'\\''")}' </dev/null >/dev/null 2>&1\n`,
          )
          .concat("exit 0\n")
          .join(""),
      );
      execFileSync("timeout", ["60", "sh", join(at, "cases")], {
        cwd: at,
        env: { PATH: `${at}:/usr/bin:/bin`, LC_ALL: "C" },
      });
      const said = readFileSync(join(at, "log"), "utf8")
        .split("\0\0")
        .filter((one) => one !== "");
      for (const one of said) {
        const [index, ...all] = one.split("\0");
        const text = tried[Number(index)] ?? "";
        // Names that match, a home and what xargs reads are put in by the shell: of those the program counts.
        const whole = !/[*~]|xargs/.test(text);
        const ran = (whole ? all : all.slice(0, 1)).join("\0");
        const seen = shell(text).argvs.map((argv) => (whole ? argv.join("\0") : (argv[0] ?? "")));
        expect({ text, seen, ran }).toEqual({ text, seen, ran: seen.find((argv) => argv === ran) });
      }
      expect(said.length).toBeGreaterThan(20);
    } finally {
      rmSync(at, { recursive: true, force: true });
    }
  });
});
