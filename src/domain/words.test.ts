import { describe, expect, it } from "vitest";
import { PROJECT_EXAMPLES } from "../../test/support/given-task.ts";
import { type Actor, actorFrom, actorText, POLICY, SYSTEM } from "./actor.ts";
import type { ProjectEvent, Recorded } from "./event.ts";
import { bornProject, evolveProject } from "./project.ts";
import { projectStream, providerStream, SYSTEM_STREAM, streamId, streamKind, taskStream } from "./stream.ts";
import { SHIPPED_TEMPLATES, templateNamed } from "./template.ts";
import { executed } from "./test-counts.ts";

describe("an actor", () => {
  it.each<Actor>([
    POLICY,
    SYSTEM,
    { kind: "person", name: "ada:lovelace" },
    { kind: "agent", name: "" },
    { kind: "worker", name: "daemon-7" },
  ])("%j is read as it was written", (actor) => expect(actorFrom(actorText(actor))).toEqual(actor));

  it.each(["", "ada", ":ada", "root:ada", "constructor:ada", "__proto__:x"])("%j is none", (text) =>
    expect(() => actorFrom(text)).toThrow("not an actor"),
  );
});

describe("a project", () => {
  const told = (type: keyof typeof PROJECT_EXAMPLES): Recorded<ProjectEvent> => ({
    seq: 1,
    atMs: 5,
    actor: POLICY,
    event: { type, body: PROJECT_EXAMPLES[type] } as ProjectEvent,
  });
  const born = bornProject("P1", told("PROJECT_CREATED"));

  it("is what its events say", () => {
    expect(born).toEqual({
      id: "P1",
      name: "app",
      settings: PROJECT_EXAMPLES.PROJECT_CREATED.settings,
      repos: [],
      createdAtMs: 5,
      deleted: false,
      paused: null,
    });
    const added = evolveProject(born, told("REPO_ADDED"));
    expect(added.repos).toEqual([PROJECT_EXAMPLES.REPO_ADDED]);
    expect(evolveProject(added, told("REPO_CHANGED")).repos).toEqual([PROJECT_EXAMPLES.REPO_CHANGED]);
    expect(evolveProject(added, told("PROJECT_CHANGED"))).toMatchObject({ name: "app2", repos: added.repos });
    const paused = evolveProject(added, told("PROJECT_PAUSED"));
    expect(paused.paused).toEqual({ sinceMs: 5, by: "policy:default", reason: null });
    expect(evolveProject(paused, told("PROJECT_RESUMED"))).toEqual(added);
    expect(evolveProject(added, told("PROJECT_DELETED")).deleted).toBe(true);
  });

  it("begins once, and with its creation", () => {
    expect(() => bornProject("P1", told("REPO_ADDED"))).toThrow("project P1 begins with REPO_ADDED");
    expect(() => evolveProject(born, told("PROJECT_CREATED"))).toThrow("was created twice");
  });
});

it("streams have a kind and an id", () => {
  expect(
    [taskStream("T"), projectStream("P"), providerStream("box"), SYSTEM_STREAM].map((stream) => [
      streamKind(stream),
      streamId(stream),
    ]),
  ).toEqual([
    ["task", "T"],
    ["project", "P"],
    ["provider", "box"],
    ["system", "system"],
  ]);
});

it("tests that never ran are not executed ones", () =>
  expect(executed({ passed: 2, failed: 1, skipped: 5, todo: 7 })).toBe(3));

describe("a shipped template", () => {
  it.each(["Run tests and generate report", "  run  tests and GENERATE report\n"])(
    "is found by its name, %j",
    (title) => expect(templateNamed(title)).toBe(SHIPPED_TEMPLATES[0]),
  );

  it.each(["Run tests", "Run tests and generate report please", "", "Please run tests and generate report"])(
    "is not found by %j",
    (title) => expect(templateNamed(title)).toBeNull(),
  );
});
