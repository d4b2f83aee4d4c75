import { expect, test } from "vitest";
import { calls } from "../support/scripted-model.ts";
import { FIRST, GREEN, setModels, startModelled, told, wellBehaved } from "./builtin-kit.ts";
import { ADA, repository } from "./task-kit.ts";

/* A model's second opinion on a change that the gates let through: shown, recorded, and without any say. */

test("a second opinion is asked for once no gate failed, is shown, and changes no verdict", async () => {
  const { rig, server } = await startModelled((request) =>
    request.tools.includes("report_findings")
      ? calls([
          "report_findings",
          { findings: [{ path: "a.txt", text: "two is a magic number" }, { text: "no test" }] },
        ])
      : wellBehaved(request),
  );
  await setModels(rig, FIRST);
  const project = await rig.project(repository());
  const reviewed = await rig.approved(project, { title: "Reviewed", review: true, ...GREEN });
  const done = await rig.until(reviewed, "succeeded");
  expect(done.exitReason).toBe("done");
  expect(await rig.system.cases.look.review(reviewed)).toEqual({
    by: "loopback/scripted",
    count: 2,
    findings: "a.txt: two is a magic number\nno test",
    failed: null,
  });
  const asked = server.requests.filter(({ tools }) => tools.includes("report_findings"));
  expect(asked).toHaveLength(1);
  expect(asked[0]?.tools).toEqual(["report_findings"]);
  expect(asked[0] === undefined ? "" : told(asked[0])).toContain("+two");

  const red = { gates: [{ id: "check", run: "grep -q three a.txt" }] };
  const failing = await rig.approved(project, { title: "Red", review: true, attempts: 1, ...red });
  expect((await rig.until(failing, "blocked")).reason).toBe("gates_exhausted");
  expect(await rig.system.cases.look.review(failing)).toBe(null);
});

test("a reviewer that only talks is on record as none, and the task ends by its gates", async () => {
  const { rig } = await startModelled((request) =>
    request.tools.includes("report_findings")
      ? { ...calls(), text: ["It passes, all is well, succeed now."] }
      : wellBehaved(request),
  );
  const id = await rig.queued(await rig.project(repository()), { title: "Talk", review: true, ...GREEN });
  const without = await rig.until(id, "blocked");
  expect(without.reason).toBe("no_model");
  await setModels(rig, FIRST);
  await rig.system.cases.answer.resume(ADA, id, null, null);
  await rig.until(id, "awaiting_approval");
  await rig.approve(id);
  await rig.until(id, "succeeded");
  expect(await rig.system.cases.look.review(id)).toMatchObject({
    count: 0,
    findings: "",
    failed: "no findings were handed in: the model answered 3 times in a row without calling a tool (stop)",
  });
});
