import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Places } from "../places.ts";
import { filesOf, git, objects } from "./git.ts";
import { type Body, canonical, type Database, type Event } from "./journal.ts";
import type { Report } from "./report.ts";
import { sha256 } from "./repository.ts";

export type Contents = (ref: Body, where: string) => Buffer | null;

/** Reads content that an event names, and checks it against its name on the way: SHA-256 of salt and bytes. */
export function contents(database: Database, places: Places, { found, counted }: Report): Contents {
  const checked = new Map<string, Buffer | null>();
  return (ref, where) => {
    const digest = String(ref["digest"]);
    const known = checked.get(digest);
    if (known !== undefined) return known;
    counted("contents");
    const read = (): Buffer | null => {
      const [row] = database.rows("SELECT bytes, salt, content FROM blobs WHERE digest = ?", digest);
      if (row === undefined) {
        found("content", where, `names the content ${digest}, which is not in the store`);
        return null;
      }
      const file = blobFile(places.home, digest);
      const inline = row["content"];
      if (inline === null && file === null) {
        found("content", where, `names the content ${digest}, whose file is gone`);
        return null;
      }
      const bytes = inline instanceof Uint8Array ? Buffer.from(inline) : readFileSync(file ?? "");
      const salted = createHash("sha256")
        .update(row["salt"] as Uint8Array)
        .update(bytes)
        .digest("hex");
      if (salted !== digest || bytes.length !== ref["bytes"] || Number(row["bytes"]) !== bytes.length) {
        found(
          "content",
          where,
          `names the content ${digest} (${ref["bytes"]} bytes), and what is stored has ${salted} (${bytes.length} bytes)`,
        );
        return null;
      }
      return bytes;
    };
    const bytes = read();
    checked.set(digest, bytes);
    return bytes;
  };
}

function blobFile(home: string, digest: string): string | null {
  const top = join(home, "blobs");
  if (!existsSync(top)) return null;
  return (
    readdirSync(top, { recursive: true, encoding: "utf8" })
      .map((name) => join(top, name))
      .find((path) => path.replaceAll("/", "").endsWith(digest) && statSync(path).isFile()) ?? null
  );
}

const isRef = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && "digest" in value && "bytes" in value;

/** Every content that an event names, wherever in it. */
export function checkContents(event: Event, read: Contents): void {
  const look = (value: unknown): void => {
    if (isRef(value)) read(value, `${event.stream} ${event.seq}`);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(look);
  };
  look(event.body);
}

/** All that the steps, candidates and gates of one task rest on, looked up again in git, in files and in the store. */
export function checkEvidence(
  task: string,
  events: readonly Event[],
  places: Places,
  read: Contents,
  report: Report,
): void {
  const { found, counted } = report;
  const clones = join(places.home, "workspaces", task, "git");
  const gitDirOf = (repo: string): string => join(clones, `${repo}.git`);
  const trees: Record<string, string> = {};
  const whole = new Map<string, { where: string; repo: string }>();
  const files: { where: string; repo: string; tree: string; path: string; sha256: string | null }[] = [];
  const commits: { where: string; repo: string; commit: string; tree: string }[] = [];
  const acts = new Map<string, Body>();

  for (const event of events) {
    const { type, body } = event;
    const where = `${event.stream} ${event.seq}`;
    if (type === "BASES_PINNED") {
      Object.assign(trees, body["trees"]);
      for (const [repo, tree] of Object.entries<string>(body["trees"])) whole.set(tree, { where, repo });
    }
    if (type === "CHANGES_REQUESTED" || (type === "RETRIED" && body["restart"] === true))
      Object.assign(trees, events.find((one) => one.type === "BASES_PINNED")?.body["trees"] ?? {});
    if (type === "CHECKPOINTED") {
      Object.assign(trees, body["trees"]);
      for (const [repo, tree] of Object.entries<string>(body["trees"])) whole.set(tree, { where, repo });
    }
    if (type === "STEP_STARTED") {
      acts.set(String(body["step"]), body);
      for (const [repo, tree] of Object.entries<string>(body["before"]))
        if (trees[repo] !== tree)
          found("tree", where, `begins at ${tree} of ${repo}, and the last checkpoint is ${trees[repo]}`);
    }
    if (type === "STEP_COMPLETED" || type === "STEP_FAILED") {
      counted(type === "STEP_COMPLETED" ? "completed steps" : "failed steps");
      const started = acts.get(String(body["step"]));
      const act = (started?.["act"] ?? {}) as Body;
      const after = { ...trees, ...(body["after"] as Record<string, string>) };
      if (
        type === "STEP_COMPLETED" &&
        body["evidence"].length === 0 &&
        act["what"] !== "list" &&
        !settled(events, event)
      )
        found("command", where, `${body["step"]} is completed without any evidence`);
      for (const evidence of body["evidence"] as Body[]) {
        counted("evidence");
        const repo = String(evidence["repo"]);
        switch (evidence["kind"]) {
          case "command":
            checkCommand(task, body, act, evidence, places, read, where, report);
            break;
          case "file":
            if (act["kind"] === "edit" && (evidence["after"] !== act["after"] || evidence["before"] !== act["before"]))
              found("file", where, `${evidence["path"]} became ${evidence["after"]}, asked for was ${act["after"]}`);
            files.push({
              where,
              repo,
              tree: started?.["before"][repo],
              path: evidence["path"],
              sha256: evidence["before"],
            });
            files.push({ where, repo, tree: after[repo] ?? "", path: evidence["path"], sha256: evidence["after"] });
            break;
          case "tree":
            if (evidence["before"] !== started?.["before"][repo] || evidence["after"] !== body["after"][repo])
              found(
                "tree",
                where,
                `says ${evidence["before"]} → ${evidence["after"]} of ${repo}, and the step went from ${started?.["before"][repo]} to ${body["after"][repo]}`,
              );
            whole.set(evidence["after"], { where, repo });
            break;
          case "commit":
            commits.push({ where, repo, commit: evidence["commit"], tree: evidence["tree"] });
            break;
          case "layer":
            checkLayer(evidence, places, where, report);
            break;
          case "tests":
            checkTests(evidence, read, where, report);
            break;
          case "mount":
            if (evidence["readOnly"] !== (String(evidence["line"]).split(" ")[5] ?? "").split(",").includes("ro"))
              found("command", where, `says read-only is ${evidence["readOnly"]} of ${evidence["line"]}`);
            break;
          case "decision":
            if (
              !["allow", "ask"].includes(String(evidence["verdict"])) ||
              !/^[0-9a-f]{64}$/.test(String(evidence["set"]))
            )
              found("command", where, `began although ${evidence["policy"]} said ${evidence["verdict"]}`);
            break;
          case "program":
            if (evidence["path"] !== null && !existsSync(String(evidence["path"])))
              found("command", where, `says that ${evidence["name"]} is ${evidence["path"]}, which is not there`);
            break;
          default:
            break;
        }
      }
    }
    if (type === "CANDIDATE_MADE")
      for (const [repo, one] of Object.entries<Body>(body["repos"])) {
        commits.push(
          { where, repo, commit: one["commit"], tree: one["tree"] },
          { where, repo, commit: one["base"], tree: one["baseTree"] },
        );
        checkCandidate(gitDirOf(repo), repo, one, trees[repo] ?? "", where, report);
      }
    if (type === "GATE_PASSED") checkGate(events, event, report);
    if (type === "COMPLETED" && body["exitReason"] === "done") checkProof(events, event, read, report);
  }

  for (const repo of new Set([...whole.values(), ...commits, ...files].map((one) => one.repo))) {
    const gitDir = gitDirOf(repo);
    if (!existsSync(gitDir)) {
      found("tree", `task/${task}`, `the private clone of ${repo} is gone`);
      continue;
    }
    checkWhole(
      gitDir,
      [...whole].filter(([, one]) => one.repo === repo).map(([tree, { where }]) => ({ tree, where })),
      report,
    );
    const mine = commits.filter((one) => one.repo === repo);
    const known = objects(
      gitDir,
      mine.flatMap(({ commit }) => [commit, `${commit}^{tree}`]),
    );
    for (const { where, commit, tree } of mine) {
      counted("commits");
      if (known.get(commit)?.type !== "commit")
        found("commit", where, `names the commit ${commit}, which is not in the private clone`);
      else if (known.get(`${commit}^{tree}`)?.id !== tree)
        found("commit", where, `says that ${commit} has the tree ${tree}, it has ${known.get(`${commit}^{tree}`)?.id}`);
    }
    const named = files.filter((one) => one.repo === repo);
    const held = objects(
      gitDir,
      named.map(({ tree, path }) => `${tree}:content/${path}`),
    );
    for (const { where, tree, path, sha256: expected } of named) {
      counted("files");
      const there = held.get(`${tree}:content/${path}`);
      const actual = there === null || there === undefined ? null : sha256(there.content);
      if (actual !== expected) found("file", where, `says that ${path} has ${expected}, in ${tree} it has ${actual}`);
    }
  }
}

/** A person said that it took effect, or aborted it: then their word is all there is. */
const settled = (events: readonly Event[], ended: Event): boolean =>
  events.some(
    ({ type, body, seq }) => type === "OUTCOME_SETTLED" && seq < ended.seq && body["step"] === ended.body["step"],
  );

function checkWhole(
  gitDir: string,
  trees: readonly { readonly tree: string; readonly where: string }[],
  { found, counted }: Report,
): void {
  counted("trees", trees.length);
  const check = (some: readonly string[]): boolean =>
    git(gitDir, ["rev-list", "--objects", "--quiet", "--stdin"], some.map((tree) => `${tree}\n`).join("")).ok;
  if (trees.length === 0 || check(trees.map(({ tree }) => tree))) return;
  for (const { tree, where } of trees)
    if (!check([tree])) found("tree", where, `names the tree ${tree}, which is not whole in the private clone`);
}

function checkCommand(
  task: string,
  body: Body,
  act: Body,
  evidence: Body,
  places: Places,
  read: Contents,
  where: string,
  { found }: Report,
): void {
  const asked = act["kind"] === "read" ? act["target"] : act["argv"];
  if (act["kind"] !== "gate" && JSON.stringify(asked) !== JSON.stringify(evidence["argv"]))
    found("command", where, `ran ${evidence["argv"].join(" ")}, asked for was ${asked?.join(" ")}`);
  const [stdout, stderr] = [read(evidence["stdout"], where), read(evidence["stderr"], where)];
  const live = join(places.home, "output", task, `${body["step"]}.${body["run"]}.log`);
  // A gate's live output also has what was asked of the sandbox before the gate itself ran.
  const least = (stdout?.length ?? 0) + (stderr?.length ?? 0);
  const actual = existsSync(live) ? statSync(live).size : -1;
  if (act["kind"] === "gate" ? actual < least : actual !== least)
    found("command", where, `put out ${least} bytes, and its live output has ${actual}`);
}

function checkLayer(evidence: Body, places: Places, where: string, { found, counted }: Report): void {
  counted("layers");
  const outputs = join(places.home, "layers", String(evidence["key"]), "outputs");
  if (!existsSync(outputs)) {
    found("layer", where, `the layer ${evidence["key"]} is gone`);
    return;
  }
  const hash = createHash("sha256");
  let files = 0;
  const look = (path: string): void => {
    for (const name of readdirSync(join(outputs, path)).sort()) {
      const at = path === "" ? name : `${path}/${name}`;
      const stats = lstatSync(join(outputs, at));
      if (stats.isDirectory()) look(at);
      else if (stats.isSymbolicLink()) hash.update(`${at}\0link\0${readlinkSync(join(outputs, at))}\n`);
      else {
        hash.update(`${at}\0${(stats.mode & 0o777).toString(8)}\0${sha256(readFileSync(join(outputs, at)))}\n`);
        files += 1;
      }
    }
  };
  look("");
  const listing = hash.digest("hex");
  if (files !== evidence["files"] || listing !== evidence["listing"])
    found(
      "layer",
      where,
      `the layer ${evidence["key"]} has ${files} files and the listing ${listing}, said were ${evidence["files"]} and ${evidence["listing"]}`,
    );
}

/** The counts again, from the report's own lines. */
function checkTests(evidence: Body, read: Contents, where: string, { found }: Report): void {
  const text = read(evidence["report"], where)?.toString("utf8");
  if (text === undefined) return;
  const passed = text.match(/^ok /gm)?.length ?? 0;
  const failed = text.match(/^not ok /gm)?.length ?? 0;
  if (evidence["counts"].passed !== passed || evidence["counts"].failed !== failed)
    found(
      "tests",
      where,
      `says ${evidence["counts"].passed} passed and ${evidence["counts"].failed} failed, the report has ${passed} and ${failed}`,
    );
}

/** What git would commit of the last checkpoint: every file of the candidate is there with the same bytes. */
function checkCandidate(
  gitDir: string,
  repo: string,
  one: Body,
  workspace: string,
  where: string,
  { found }: Report,
): void {
  if (one["commit"] === one["base"]) return;
  const parents = git(gitDir, ["rev-list", "--parents", "-n", "1", one["commit"]])
    .out.toString("utf8")
    .trim()
    .split(" ")
    .slice(1);
  if (parents.join(" ") !== one["base"])
    found(
      "commit",
      where,
      `the candidate ${one["commit"]} of ${repo} has the parents ${parents.join(" ")}, not the base ${one["base"]}`,
    );
  const held = filesOf(gitDir, workspace);
  for (const [path, blob] of filesOf(gitDir, one["tree"]))
    if (held.get(`content/${path}`) !== blob)
      found(
        "commit",
        where,
        `${path} of the candidate is ${blob}, in the workspace ${workspace} it is ${held.get(`content/${path}`)}`,
      );
}

function checkGate(events: readonly Event[], { stream, seq, body }: Event, { found }: Report): void {
  const where = `${stream} ${seq}`;
  for (const step of body["restsOn"] as string[]) {
    const started = events.find((one) => one.type === "STEP_STARTED" && one.body["step"] === step && one.seq < seq);
    const ended = events.find((one) => one.type === "STEP_COMPLETED" && one.body["step"] === step && one.seq < seq);
    if (started === undefined || ended === undefined) {
      found("proof", where, `rests on ${step}, which is not completed`);
      continue;
    }
    const beside = canonical(body["beside"] ?? {}) === canonical(started.body["act"].beside ?? {});
    if (started.body["act"].commit !== body["commit"] || started.body["act"].tree !== body["tree"] || !beside)
      found("proof", where, `rests on ${step}, which ran on ${started.body["act"].tree}, not on ${body["tree"]}`);
    const commands = (ended.body["evidence"] as Body[]).filter((one) => one["kind"] === "command");
    if (commands.length === 0 || commands.some((one) => one["exitCode"] !== 0 || one["endedBy"] !== "itself"))
      found("proof", where, `rests on ${step}, whose command did not exit with 0`);
  }
}

/** Done means: every gate of the frozen spec passed on the very tree of the candidate. */
function checkProof(events: readonly Event[], completed: Event, read: Contents, { found }: Report): void {
  const where = `${completed.stream} ${completed.seq}`;
  const before = events.filter(({ seq }) => seq < completed.seq);
  const frozen = before.findLast(({ type }) => type === "SPEC_FROZEN");
  const text = frozen === undefined ? null : read(frozen.body["text"], where);
  if (frozen === undefined || text === null) {
    found("proof", where, "is done without a frozen spec");
    return;
  }
  if (sha256(text) !== frozen.body["hash"])
    found("proof", where, `the spec does not have the hash ${frozen.body["hash"]}`);
  const made = before.findLast(({ type }) => type === "CANDIDATE_MADE");
  for (const gate of (JSON.parse(text.toString("utf8")) as Body)["gates"] as Body[]) {
    const tree = made?.body["repos"][gate["repo"]]?.tree;
    const passed = before.some(
      ({ type, body, seq }) =>
        type === "GATE_PASSED" &&
        seq > (made?.seq ?? 0) &&
        body["gate"] === gate["id"] &&
        body["on"] === "candidate" &&
        body["tree"] === tree &&
        ((gate["beside"] ?? []) as string[]).every(
          (repo) => body["beside"]?.[repo]?.tree === made?.body["repos"][repo]?.tree,
        ),
    );
    if (!passed) found("proof", where, `is done, and the gate ${gate["id"]} did not pass on ${tree}`);
  }
  const plan = before.findLast(({ type }) => type === "PLAN_PROPOSED");
  const approved = before.findLast(({ type }) => type === "PLAN_APPROVED");
  if (
    plan === undefined ||
    approved?.body["plan"] !== plan.body["hash"] ||
    approved?.body["spec"] !== frozen.body["hash"]
  )
    found("proof", where, "is done, and its last plan was not approved for its last spec");
}
