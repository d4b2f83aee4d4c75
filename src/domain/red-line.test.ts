import { describe, expect, it } from "vitest";
import { crossedRedLine } from "./red-line.ts";

const run = (...argv: readonly string[]): string | null =>
  crossedRedLine({ kind: "command", repo: "app", argv, cwd: ".", timeoutMs: 1_000, network: [] })?.id ?? null;
const shell = (text: string): string | null => run("/bin/sh", "-c", text);
const words = (text: string): readonly string[] => text.split(" ");

const CROSSED: Readonly<Record<string, readonly string[]>> = {
  "privilege-escalation": [
    "sudo id",
    "su root",
    "/usr/bin/sudo -n true",
    "doas ls",
    "pkexec ls",
    "runuser -u root ls",
    "env FOO=1 sudo id",
    "nice -n 5 sudo id",
    "FOO=1 sudo id",
  ],
  "force-push": [
    "git push --force",
    "git push -f origin main",
    "git push origin main --force",
    "git push --force-with-lease",
    "git push --force-with-lease=main:abc origin main",
    "git push origin +main",
    "git push --mirror",
    "git push --delete origin main",
    "git push -d origin main",
    "git push origin :main",
    "git push -uf origin main",
    "git -C sub push --force",
    "git -c user.name=x push -f",
    "git --git-dir=.git push -f",
    "git --git-dir .git push -f",
    "git push --force-w origin main",
    "git push --mir",
    "git push --del origin main",
  ],
  "no-verify": [
    "git commit --no-verify -m x",
    "git commit -m x --no-verify",
    "git commit -n -m x",
    "git commit -anm x",
    "git push --no-verify",
    "git merge --no-verify x",
    "git commit --no-verif -m x",
  ],
  "history-destruction": [
    "git filter-branch --all",
    "git filter-repo --path x",
    "git gc --prune=now",
    "git gc --prun=now",
    "git reset --hard",
    "git reset --hard HEAD",
    "git reset -q --hard origin/main",
    "git reset HEAD~3 --hard",
    "git -C sub reset --har",
    "git reflog expire --all",
    "git reflog delete HEAD@{0}",
    "git update-ref -d refs/heads/main",
    "rm -rf .git",
    "rm -rf ./.git/",
    "rm -r sub/.git",
    "git -C sub update-ref -d refs/heads/main",
  ],
  "outside-removal": [
    "rm -rf /",
    "rm -rf /*",
    "rm -rf ~",
    "rm -rf ~/",
    "rm -rf $HOME",
    "rm -rf $HOME/",
    "rm -rf /etc",
    "rm -f /home/ada/notes.txt",
    "shred /dev/sda",
    "/bin/rm -rf /usr",
  ],
};

describe("a red line", () => {
  for (const [line, commands] of Object.entries(CROSSED))
    describe(line, () => {
      it.each(commands)("is crossed by %s, as words and as text for a shell", (command) => {
        expect(run(...words(command))).toBe(line);
        expect(shell(command)).toBe(line);
        expect(run("bash", "-lc", `cd src && ${command}; echo done`)).toBe(line);
        expect(shell(`if true; then ${command}; fi`)).toBe(line);
      });
    });

  it("is crossed by the second of two commands, in a subshell and over several lines", () => {
    expect(shell("npm test || (cd x && sudo id)")).toBe("privilege-escalation");
    expect(shell("echo hello\ngit push -f\n")).toBe("force-push");
    expect(shell("{ rm -rf / ; }")).toBe("outside-removal");
    expect(shell('rm -rf "$HOME"')).toBe("outside-removal");
  });

  it.each([
    "true # a \\\ngit push --force",
    "echo a\\\\\ngit push --force",
    "for a do git push --force; done",
    "true &>/dev/null git push --force",
    "trap -- 'git push --force' EXIT",
    "env -iu A git push --force",
    "timeout -vk 1 5 git push --force",
    "timeout --slowly 5 git push --force",
    "xargs -rn 1 git push --force",
    "time ! git push --force",
    "echo $(case a in a) git push --force;; esac)",
    "cat <<E\n$(\ngit push --force\n)\nE",
    "git -c alias.p='push --force' p",
    "git -c alias.p='!git push --force' p",
    "sudo -nu ada git push --force",
  ])("is crossed by %j, however it is hidden", (text) =>
    expect(shell(text)).toMatch(/^(force-push|privilege-escalation)$/),
  );

  it("is crossed by gates and prepare commands as by any other", () => {
    const argv = ["sudo", "make"];
    expect(crossedRedLine({ kind: "gate", gate: "g", repo: "app", on: "base", commit: "c", tree: "t", argv })?.id).toBe(
      "privilege-escalation",
    );
    expect(crossedRedLine({ kind: "prepare", repo: "app", on: "base", key: "k", argv, hosts: [] })?.id).toBe(
      "privilege-escalation",
    );
  });

  it.each([".git/config", ".git", "sub/.git/hooks/pre-commit", ".GIT/config", "a/.Git"])(
    "is crossed by an edit of %s",
    (path) =>
      expect(
        crossedRedLine({ kind: "edit", repo: "app", path, before: null, after: "d", content: null, executable: false })
          ?.id,
      ).toBe("git-directory"),
  );

  it.each([".gitignore", ".github/workflows/ci.yml", "docs/.gitkeep", "x.git", "agit/config", ".gitmodules"])(
    "is not crossed by an edit of %s",
    (path) =>
      expect(
        crossedRedLine({ kind: "edit", repo: "app", path, before: null, after: "d", content: null, executable: false }),
      ).toBeNull(),
  );

  it("says what it means", () =>
    expect(
      crossedRedLine({ kind: "command", repo: "app", argv: ["sudo"], cwd: ".", timeoutMs: 1, network: [] })?.means,
    ).toBe("no step gains privileges"));
});

/** What developers type all day. None of it may be refused, or people learn to work around the lines. */
const ORDINARY = [
  "npm ci",
  "npm test -- --watch=false",
  "npm run build --if-present",
  "npx tsc --noEmit -p .",
  "node --test",
  "node -e 'console.log(1)'",
  "yarn install --frozen-lockfile",
  "pnpm -r build",
  "pip install -r requirements.txt",
  "python -m pytest -q -x",
  "python3 -c 'import sys; print(sys.path)'",
  "cargo build --release",
  "cargo test -- --nocapture",
  "go test ./...",
  "go mod download",
  "mvn -q -DskipTests package",
  "./gradlew test --no-daemon",
  "make -j4 all",
  "make clean && make",
  "cmake --build build --parallel",
  "docker compose ps",
  "git status --porcelain",
  "git add -A",
  "git commit -m 'Fix the sum'",
  "git commit -am 'No verify needed'",
  "git commit --no-edit --amend",
  "git commit -F notes.txt",
  "git commit --allow-empty -m x",
  "git push origin main",
  "git push -u origin feature/x",
  "git push --follow-tags",
  "git push origin HEAD:main",
  "git pull --rebase",
  "git fetch --prune",
  "git rebase -i HEAD~3",
  "git reset --soft HEAD~1",
  "git reset HEAD a.txt",
  "git commit --no-verbose -m x",
  "git push --dry-run",
  "git checkout -f main",
  "git checkout -- src/a.ts",
  "git clean -fd",
  "git branch -d merged",
  "git branch -D old",
  "git tag -d v1",
  "git stash drop",
  "git gc",
  "git reflog",
  "git reflog show main",
  "git log --oneline -n 5",
  "git log --grep=force",
  "git diff -- . ':!package-lock.json'",
  "git worktree remove ../other",
  "git -C sub status",
  "git update-ref refs/heads/x HEAD",
  "rm -rf node_modules dist",
  "rm -rf build/ && mkdir build",
  "rm -f .git/index.lock",
  "rm -rf /tmp/scratch",
  "rm -rf /workspace/app/dist",
  "rm .gitignore",
  "rm -rf ./target/*",
  "rm -- -rf",
  "find . -name '*.pyc' -delete",
  "find . -type d -name __pycache__ -exec rm -rf {} +",
  "grep -rn sudo docs",
  "grep -E 'foo|bar' -r src",
  "echo 'use sudo to install' >> README.md",
  "sed -i s/foo/bar/g src/a.ts",
  "curl -fsSL https://example.org/x -o x",
  "tar -xf x.tar.gz -C vendor",
  "chmod +x scripts/run.sh",
  "bash scripts/run.sh --force",
  "env NODE_ENV=test npm test",
  "timeout 60 npm test",
  "time make",
  "ls -la / > listing.txt",
  "cat > notes.txt <<'END'\nrun me\nEND",
  "trap 'rm -rf \"$tmp\"' EXIT; tmp=$(mktemp -d)",
  'for f in *.txt; do mv "$f" "old-$f"; done',
  "if [ -d .git ]; then echo repo; fi",
  "sum=0; for n in 1 2; do sum=$((sum + n)); done; echo $sum",
  "test -f a && rm -f a",
];

describe("ordinary commands", () => {
  it("are at least 60", () => expect(new Set(ORDINARY).size).toBeGreaterThanOrEqual(60));

  it.each(ORDINARY)("%s is not refused, as words and as text for a shell", (command) => {
    expect(run(...words(command))).toBeNull();
    expect(shell(command)).toBeNull();
  });

  it("with words that only look like a crossing are not refused either", () => {
    expect(run("echo", "sudo", "rm", "-rf", "/")).toBeNull();
    expect(run("printf", "%s", "git push --force")).toBeNull();
    expect(run("su-exec-test")).toBeNull();
    expect(run("sh", "run.sh", "sudo")).toBeNull();
    expect(run()).toBeNull();
  });

  it("of no kind that runs nothing are refused", () =>
    expect(crossedRedLine({ kind: "read", repo: "app", what: "file", target: ["sudo", "id"] })).toBeNull());

  it("that only look are held to them like any other that runs", () => {
    const look = (text: string) =>
      crossedRedLine({ kind: "read", repo: "app", what: "command", target: ["/bin/sh", "-c", text] })?.id ?? null;
    expect([look("git log -n 1"), look("sudo id"), look("cat a && rm -rf .git")]).toEqual([
      null,
      "privilege-escalation",
      "history-destruction",
    ]);
  });
});
