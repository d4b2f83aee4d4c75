import { renameSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { localProviders } from "../../src/adapters/providers/providers.ts";
import { sha256Hex } from "../../src/adapters/store/seal.ts";
import type { UseCases } from "../../src/app/use-cases.ts";
import { draftFrom } from "../../src/contract/from-wire.ts";
import { SpecInput } from "../../src/contract/inputs.ts";
import { isFailure } from "../../src/domain/failure.ts";
import { NOTES_MAX } from "../../src/domain/project-note.ts";
import { PLATFORMS } from "../../src/domain/provider-platforms.ts";
import { projectStream } from "../../src/domain/stream.ts";
import { type FakeServer, ollamaServer } from "../support/fake-providers.ts";
import { freePort } from "../support/free-port.ts";
import { ADA, git, type Rig, repository, room, startRig } from "./task-kit.ts";

/* What a person is refused before anything runs: each sentence has the actual names in it, and says what to do where that is not plain. */

let rig: Rig;
let cases: UseCases;
let ollama: FakeServer;
/** Where nobody answers. */
let nowhere: string;
beforeAll(async () => {
  nowhere = `http://127.0.0.1:${await freePort()}/v1`;
  ollama = await ollamaServer({});
  const home = room();
  const environment = { PATH: "/nonexistent", OLLAMA_HOST: `127.0.0.1:${ollama.port}` };
  rig = await startRig(
    { providers: localProviders({ home, personHome: home, platform: PLATFORMS.linux, environment }) },
    { home },
  );
  cases = rig.system.cases;
  return () => ollama.close();
});

/** The refusal as a person reads it: its code, its sentence, and the next step where it has one of its own. */
async function refusal(work: Promise<unknown>): Promise<readonly (string | null)[]> {
  try {
    await work;
  } catch (error) {
    if (isFailure(error)) return [error.code, error.message, error.next];
    throw error;
  }
  throw new Error("it was not refused");
}

async function draft(project: string | null, spec: Record<string, unknown>): Promise<string> {
  const { task } = await cases.createTask(ADA, {
    id: null,
    draft: draftFrom(SpecInput.parse({ title: "A task", ...spec })),
    createdBy: "ada",
    session: null,
    metadata: null,
    priority: null,
    project,
    dependencies: [],
  });
  return task.id;
}

describe("freezing", () => {
  it("is refused for a branch, a gate and a preparation of another repo, a script without a plan, and a gate that may be meant for two repos", async () => {
    const one = await rig.project(repository());
    const two = await rig.project(repository(), repository({ "b.txt": "b\n" }, join(room(), "lib")));
    const freeze = async (project: string, spec: Record<string, unknown>) =>
      refusal(cases.freezeTask(ADA, await draft(project, spec)));
    expect([
      await freeze(one.id, { branches: { lib: "main" } }),
      await freeze(one.id, { gates: [{ id: "check", repo: "lib", run: "true" }] }),
      await freeze(one.id, { prepare: [{ repo: "lib", run: "make" }] }),
      await freeze(one.id, { agent: "script" }),
      await freeze(two.id, { gates: [{ id: "check", run: "true" }] }),
    ]).toEqual([
      ["spec/invalid", "a branch is named for the repo lib, which is not in the task's scopes", null],
      ["spec/invalid", "gate check names the repo lib, which is not in the task's scopes", null],
      ["spec/invalid", "a preparation names the repo lib, which is not in the task's scopes", null],
      ["spec/invalid", "the script agent needs a plan file", "agentos task revise <id> --plan FILE"],
      [
        "spec/invalid",
        "gate check names no repo, and the task has app, lib",
        "For example: --gate check@app=COMMAND, or --gate check@*=COMMAND to run it beside all.",
      ],
    ]);
  });

  it("is refused for a branch that there is not, and for a repository that cannot be worked on any more", async () => {
    const path = repository();
    const project = await rig.project(path);
    const [repo] = project.repos;
    const branch = await draft(project.id, { branches: { app: "gone" } });
    expect(await refusal(cases.freezeTask(ADA, branch))).toEqual([
      "repo/unsupported",
      `${path} has no branch gone`,
      `Name another: agentos repo set ${repo?.id} --branch NAME, or --branch app=NAME for this task.`,
    ]);
    const id = await draft(project.id, {});
    renameSync(path, `${path}.before`);
    git(join(path, ".."), "init", "--quiet", "--initial-branch=main", path);
    expect((await refusal(cases.freezeTask(ADA, id))).slice(0, 2)).toEqual([
      "repo/unsupported",
      `${path}: it has no commit yet: commit something first`,
    ]);
  });

  it("pins a named gate by the scripts that it calls and by the entries of the package that it goes through", async () => {
    const script = "#!/bin/sh\nexit 0\n";
    const project = await rig.project(
      repository({ "package.json": '{"scripts":{"test":"node --test"}}', "bin/check.sh": script, "a.test.js": "" }),
    );
    const id = await draft(project.id, { gates: [{ id: "both", run: "./bin/check.sh && npm test; ./bin/check.sh" }] });
    await cases.freezeTask(ADA, id);
    const spec = await cases.look.frozenSpec(id);
    const definition = spec?.gates.find((gate) => gate.id === "both")?.definition ?? [];
    expect(definition[0]).toEqual({ path: "bin/check.sh", pointer: null, sha256: sha256Hex(script) });
    expect(definition.filter(({ path }) => path === "bin/check.sh")).toHaveLength(1);
    expect(definition.map(({ path, pointer }) => `${path}${pointer ?? ""}`)).toContain("package.json/scripts/test");
  });

  it("of a part of a repository offers what that part holds, said from the repository's top", async () => {
    const path = repository({
      "package.json": '{"scripts":{"test":"exit 1"}}',
      "web/package.json": '{"scripts":{"test":"node --test"}}',
      "web/a.test.js": "",
    });
    const project = await cases.createProject(ADA, {
      name: "part",
      settings: { agent: null, runMode: null, packageHosts: [], tasksMax: null },
      repos: [
        {
          path: join(path, "web"),
          name: "web",
          role: "monorepo-subdir",
          writable: true,
          pathFilters: [],
          toolPath: null,
        },
      ],
    });
    const [offered] = await cases.gatesOfProject(project.id);
    const tests = offered?.gates.find(({ judgement }) => judgement === "tests");
    expect([tests?.cwd, tests?.definition.find(({ pointer }) => pointer === "/scripts/test")]).toEqual([
      "web",
      { path: "web/package.json", pointer: "/scripts/test", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
  });
});

describe("a note", () => {
  it("is refused of a repo that there is not, unknown, retired, and beyond what a project may have", async () => {
    const project = await rig.project(repository());
    const { id, name } = project;
    const { notes } = cases;
    const own = await notes.add(ADA, id, "It is slow", "app");
    await notes.retire(ADA, id, own.id);
    expect((await notes.retire(ADA, id, own.id)).status).toBe("retired");
    expect([
      await refusal(notes.add(ADA, id, "It is fast", "lib")),
      await refusal(notes.approve(ADA, id, "N1")),
      await refusal(notes.approve(ADA, id, own.id)),
    ]).toEqual([
      ["repo/not-found", `the project ${name} has no repo lib`, null],
      ["project/not-found", `the project ${name} has no note N1`, `agentos project notes list ${name} shows them.`],
      [
        "project/refused",
        `note ${own.id} of ${name} was retired`,
        `Add it anew: agentos project notes add ${name} TEXT`,
      ],
    ]);
    for (let count = 0; count < NOTES_MAX; count += 1) await notes.add(ADA, id, `Fact ${count}`, null);
    expect(await refusal(notes.add(ADA, id, "One too many", null))).toEqual([
      "project/refused",
      `the project ${name} has ${NOTES_MAX} notes already`,
      `Retire one: agentos project notes list ${name}`,
    ]);
    expect(await notes.list(id, false)).toHaveLength(NOTES_MAX);
  });

  it("that an agent proposed is answered in the inbox by approving or rejecting it, and by nothing else", async () => {
    const { store } = rig.system;
    const project = await rig.project(repository());
    const stream = projectStream(project.id);
    const text = await store.stage(new TextEncoder().encode("It is slow"));
    const body = { note: "N-slow", text: text.ref, repo: null, task: null };
    await store.append({
      stream,
      expected: (await store.latest(stream))?.seq ?? 0,
      events: [{ actor: { kind: "agent", name: "builtin" }, atMs: 1, event: { type: "NOTE_PROPOSED", body } }],
      blobs: [text],
      lease: null,
    });
    expect(await refusal(cases.inbox.answer(ADA, "N-slow", { answer: "retry", reason: null, seq: 1 }))).toEqual([
      "task/refused",
      "N-slow waits for a word on a project note, which is not answered by retry",
      "agentos inbox show N-slow says how it is answered.",
    ]);
    expect((await cases.inbox.show("N-slow")).text).toBe("It is slow");
    await cases.inbox.answer(ADA, "N-slow", { answer: "reject", reason: null, seq: 1 });
    expect((await cases.notes.list(project.id, true)).map(({ id, status }) => [id, status])).toEqual([
      ["N-slow", "retired"],
    ]);
    expect((await refusal(cases.inbox.show("N-slow")))[0]).toBe("task/not-found");
  });
});

describe("a provider", () => {
  it("is added once, and keeps an address where its kind has none of its own", async () => {
    const { providers } = cases;
    const baseUrl = nowhere;
    await providers.add(ADA, { id: "mine", kind: "openai-compatible", baseUrl });
    expect([
      await refusal(providers.add(ADA, { id: "mine", kind: "openai-compatible", baseUrl })),
      await refusal(providers.add(ADA, { id: "ollama", kind: "ollama" })),
      await refusal(providers.add(ADA, { id: "other", kind: "openai-compatible" })),
      await refusal(providers.change(ADA, "mine", { baseUrl: null })),
      await refusal(providers.remove(ADA, "ollama")),
    ]).toEqual([
      ["provider/refused", "there is a provider called mine already", "Choose another name."],
      [
        "provider/refused",
        "ollama is known without being added",
        "agentos provider set ollama changes what is configured of it.",
      ],
      ["provider/refused", "it is not said where other answers", "Name its address: --url URL"],
      ["provider/refused", "it would not be said where mine answers", null],
      [
        "provider/refused",
        "nothing is configured of ollama; it is known without being added",
        "Leave it as it is: what is not used does nothing.",
      ],
    ]);
  });

  it("is looked at for each model of the policy: whether it lists it, what it has instead, and what to do", async () => {
    const use = (provider: string, model: string) => ({ provider, model, parameters: {} });
    await cases.models.set(ADA, {
      any: {
        use: [use("ollama", "small:latest"), use("ollama", "large"), use("mine", "any"), use("lost", "any")],
        budget: {},
      },
    });
    const namedBy = ["user any"];
    expect((await cases.models.check({ task: null, project: null })).models).toEqual([
      { provider: "ollama", model: "small:latest", namedBy, ok: true, says: "ollama has it", next: null },
      {
        provider: "ollama",
        model: "large",
        namedBy,
        ok: false,
        says: "ollama does not list it; it has embedder:latest, small:latest",
        next: "agentos provider models ollama lists what it has.",
      },
      {
        provider: "mine",
        model: "any",
        namedBy,
        ok: false,
        says: `nobody answers at ${nowhere}`,
        next: "agentos provider show mine says how it stands.",
      },
      {
        provider: "lost",
        model: "any",
        namedBy,
        ok: false,
        says: "there is no provider lost",
        next: "agentos provider list shows the providers there are.",
      },
    ]);
  });
});

describe("a server of tools", () => {
  it("is refused where its program is not there, and unknown where the project has none of that name", async () => {
    const { id, name } = await rig.project(repository());
    const server = { name: "notes", argv: ["no-such-program"], grants: { hosts: [], variables: [], files: [] } };
    const unknown = ["project/refused", `the project ${name} has no tool server notes`, `agentos mcp list ${name}`];
    expect([
      await refusal(cases.addToolServer(ADA, id, server)),
      await refusal(cases.probeToolServer(id, "notes")),
      await refusal(cases.removeToolServer(ADA, id, "notes")),
    ]).toEqual([
      [
        "agent/missing",
        "the program no-such-program of the tool server notes was not found",
        "Install it, or name one that is there, by its whole path: agentos mcp add PROJECT NAME COMMAND.",
      ],
      unknown,
      unknown,
    ]);
    expect(await cases.toolServersOf(id)).toEqual([]);
  });
});

describe("a clean-up", () => {
  it("is refused while another is under way, and done once", async () => {
    const [first, second] = await Promise.allSettled([cases.gc(ADA, false), cases.gc(ADA, false)]);
    expect(first.status).toBe("fulfilled");
    expect(await refusal(second.status === "rejected" ? Promise.reject(second.reason) : Promise.resolve())).toEqual([
      "store/busy",
      "a clean-up is under way already",
      "agentos audit log shows its end.",
    ]);
    const noted = (await rig.system.store.read("system", 0, 10)).map(({ event }) => event.type);
    expect(noted).toEqual(["SPACE_RECLAIMED"]);
    expect((await cases.gc(ADA, false)).items).toEqual([]);
  });
});

describe("an explanation", () => {
  it("is refused of a step that never was", async () => {
    const id = await draft(null, {});
    expect(await refusal(cases.policies.explainStep(id, "no-such-step"))).toEqual([
      "task/not-found",
      `task ${id} has no finished step no-such-step with a decision`,
      `agentos task evidence ${id} names its steps.`,
    ]);
  });
});
