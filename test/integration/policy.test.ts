import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bubblewrapSandbox } from "../../src/adapters/sandbox/bubblewrap.ts";
import type { OfKind } from "../../src/domain/evidence.ts";
import { offline } from "../../src/main/offline.ts";
import { ADA, gate, plan, type Rig, repository, room, startRig } from "./task-kit.ts";

const GREEN = gate("true");
const BOB = { kind: "person", name: "bob" } as const;
const NO_TOUCH =
  '@id("no-touch")\n@reason("nothing is touched here")\nforbid (principal, action, resource) when { context.commands.contains("touch") };\n';

/** Each command that any part of the system had confined, by the file its output goes to. */
const confined: string[] = [];
const home = join(room(), "home");
let rig: Rig;
beforeAll(async () => {
  const real = bubblewrapSandbox({ privateDirectories: [home], hostEnvironment: process.env });
  const watched = {
    ...real,
    run: (...given: Parameters<typeof real.run>) => {
      confined.push(given[0].outputFile);
      return real.run(...given);
    },
  };
  rig = await startRig({ sandbox: watched }, { home });
});

const decisions = async (id: string): Promise<readonly OfKind<"decision">[]> =>
  [...(await rig.bodies(id, "STEP_COMPLETED")), ...(await rig.bodies(id, "STEP_FAILED"))].flatMap(({ evidence }) =>
    evidence.flatMap((one) => (one.kind === "decision" ? [one] : [])),
  );

describe("the one choke point", () => {
  it("every process of a whole task belongs to a recorded step, and each step names the policy that let it begin", async () => {
    const before = confined.length;
    const id = await rig.approved(await rig.project(repository()), {
      ...plan("touch made", { write: "b.txt", content: "b\n" }),
      gates: [GREEN],
    });
    await rig.until(id, "succeeded");
    const steps = await rig.bodies(id, "STEP_STARTED");
    const own = confined.slice(before).filter((file) => file.includes(id));
    expect(own.length).toBeGreaterThan(2);
    for (const file of own)
      expect(steps.some(({ step, run }) => file.includes(step) && file.includes(String(run)))).toBe(true);
    const set = (await rig.system.cases.policies.inForce(null)).hash;
    const said = await decisions(id);
    expect(said).toHaveLength(steps.length);
    expect(new Set(said.map((one) => one.set))).toEqual(new Set([set]));
    expect(new Set(said.map(({ policy }) => policy))).toEqual(
      new Set(["shipped:default", "shipped:declared/command", "shipped:declared/path"]),
    );
  });
});

describe("a project's policies", () => {
  it("hold from the next decision on, are recorded, and say why they refuse", async () => {
    const project = await rig.project(repository());
    const { policies } = rig.system.cases;
    await policies.set(ADA, project.id, NO_TOUCH, false);
    const id = await rig.approved(project, { ...plan("t'o'uch made"), gates: [GREEN] });
    await rig.until(id, "blocked");
    const [denied] = await rig.bodies(id, "DENIED");
    expect([denied?.rule, denied?.reason]).toEqual(["project/no-touch", "nothing is touched here"]);
    expect((await policies.explainStep(id, denied?.step ?? "")).verdict).toBe("deny");
    const witnessed = (await rig.bodies(id, "STEP_COMPLETED"))[0]?.step ?? "";
    expect(await policies.explainStep(id, witnessed)).toMatchObject({ verdict: "allow", policy: "shipped:default" });
    expect(await rig.system.store.latest(`policy/${project.id}`)).toMatchObject({
      actor: ADA,
      event: { type: "POLICY_SET", body: { granted: false } },
    });
    // Taken away again, the same work goes on.
    await policies.set(ADA, project.id, "", false);
    await rig.system.cases.answer.resume(ADA, id, null, null);
    expect((await rig.until(id, "succeeded")).exitReason).toBe("done");
  });

  it("that permit are refused, but for a person's recorded grant", async () => {
    const project = await rig.project(repository());
    const { policies } = rig.system.cases;
    const text = "permit (principal, action, resource);";
    await expect(policies.set(ADA, project.id, text, false)).rejects.toThrow("policy-1 permits");
    expect(await rig.system.store.latest(`policy/${project.id}`)).toBeNull();
    await policies.set(ADA, project.id, text, true);
    expect((await rig.system.store.latest(`policy/${project.id}`))?.event.body).toMatchObject({ granted: true });
  });
});

describe("a person's own policies", () => {
  it("are a file that is read as it is now; broken or writable by others it refuses everything", async () => {
    const { policies } = rig.system.cases;
    const file = join(home, "policy.cedar");
    const of = async (text: string) => {
      const supposed = {
        project: null,
        act: { argv: ["/bin/sh", "-c", text] },
        network: [],
        phase: "implementation",
        runMode: "assisted",
        planned: true,
      } as const;
      const { verdict, rule } = await policies.suppose(supposed);
      return [verdict, rule];
    };
    await policies.set(ADA, null, NO_TOUCH, false);
    expect(readFileSync(file, "utf8")).toBe(NO_TOUCH);
    expect(await of("touch x")).toEqual(["deny", "user/no-touch"]);
    writeFileSync(file, `${NO_TOUCH}\npermit (principal, action, resource);\n`);
    expect(await of("ls")).toEqual(["deny", "policy/broken"]);
    const { checks } = await offline.doctor(home, { fix: false, dryRun: false });
    expect(checks.find(({ name }) => name === "policy")).toMatchObject({
      ok: false,
      detail: expect.stringContaining("line 5"),
    });
    expect((await policies.inForce(null)).layers.at(-1)).toMatchObject({
      name: "user",
      problem: "user policy, line 5: policy-2 permits, and a layer below the shipped one may only forbid",
    });
    writeFileSync(file, "");
    expect(await of("touch x")).toEqual(["allow", "declared/command"]);
    chmodSync(file, 0o666);
    expect(await of("ls")).toEqual(["deny", "policy/broken"]);
    chmodSync(file, 0o600);
    await policies.set(ADA, null, "", false);
  });
});

describe("how much a person is asked", () => {
  it("is changed in the middle of the work, from the next boundary on, and is an event", async () => {
    const id = await rig.queued(await rig.project(repository()), {
      ...plan("touch made"),
      gates: [GREEN],
      run_mode: "autonomous",
    });
    await rig.happened(id, "CLAIMED");
    await rig.system.cases.answer.changeMode(ADA, id, "assisted");
    const waits = await rig.until(id, "awaiting_approval");
    expect(waits.runMode).toBe("assisted");
    await rig.system.cases.answer.changeMode(ADA, id, "interactive");
    await rig.approve(id);
    await rig.happened(id, "WORK_ITEM_PROPOSED");
    await rig.until(id, "awaiting_approval");
    await rig.approve(id);
    await rig.until(id, "succeeded");
    expect((await rig.bodies(id, "RUN_MODE_CHANGED")).map(({ mode }) => mode)).toEqual(["assisted", "interactive"]);
  });

  it("commands that were approved in advance stand in the plan", async () => {
    const id = await rig.queued(await rig.project(repository()), {
      ...plan("true"),
      gates: [GREEN],
      approved_commands: ["npm test*"],
    });
    const { plan: facts } = await rig.until(id, "awaiting_approval");
    expect(await rig.text(facts?.text ?? null)).toContain("Commands approved in advance: npm test*");
    await rig.system.cases.answer.cancel(ADA, id, null);
  });
});

describe("who may answer", () => {
  it("is another than the task's creator where its project wants that, whatever name the task was created with", async () => {
    const project = await rig.project(repository());
    const approvals = { approverNotCreator: true, expiresMs: null, delegates: [] };
    await rig.system.cases.changeProject(ADA, project.id, { settings: { approvals } });
    const id = await rig.queued(project, {
      ...plan("true"),
      gates: [GREEN],
      run_mode: "autonomous",
      expects_change: false,
    });
    const now = await rig.until(id, "awaiting_approval");
    await expect(rig.approve(id)).rejects.toThrow("ada created it, and its project wants another person's yes");
    await rig.system.cases.answer.approve(BOB, id, {
      plan: now.plan?.hash ?? "",
      spec: null,
      item: null,
      reason: null,
    });
    expect((await rig.until(id, "succeeded")).approval?.by).toBe("person:bob");
  });

  it("is one of those who were asked in advance, where some were", async () => {
    const project = await rig.project(repository());
    const approvals = { approverNotCreator: false, expiresMs: null, delegates: ["bob"] };
    await rig.system.cases.changeProject(ADA, project.id, { settings: { approvals } });
    const id = await rig.queued(project, { ...plan("true"), gates: [GREEN] });
    await rig.until(id, "awaiting_approval");
    await expect(rig.approve(id)).rejects.toThrow("ada is not among those who answer for its project: bob");
    await rig.system.cases.answer.cancel(ADA, id, null);
  });
});
