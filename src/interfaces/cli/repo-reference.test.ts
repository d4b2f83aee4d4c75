import { expect, test } from "vitest";
import { givenCli } from "../../../test/support/given-cli.ts";
import { projectGiven, repoGiven } from "../../../test/support/given-views.ts";
import { problemOf } from "../client/trouble.ts";
import { repoNamed } from "./repo-reference.ts";

const { api } = givenCli({
  projects: async () => ({
    items: [
      projectGiven({
        name: "shop",
        repos: [repoGiven({ id: "R1", name: "app" }), repoGiven({ id: "R2", name: "lib" })],
      }),
      projectGiven({ name: "site", repos: [repoGiven({ id: "R3", name: "app" })] }),
    ],
  }),
  repo: async (id) => repoGiven({ id, name: "asked for by its id" }),
}).context;

const named = async (reference: string) => {
  const found = await repoNamed(api, reference).catch((error: unknown) => error);
  const problem = problemOf(found);
  return found instanceof Error ? [problem?.code, problem?.detail, problem?.next] : (found as { id: string }).id;
};

test("a repo is found by its id, by the name that only it has, and by its project and name", async () => {
  expect(await named("01JDA5Q8Z0000000000000000R")).toBe("01JDA5Q8Z0000000000000000R");
  expect(await named("lib")).toBe("R2");
  expect(await named("site/app")).toBe("R3");
});

test("a name that several have, or none, is refused; the several are named", async () => {
  expect(await named("app")).toEqual(["input/invalid", "2 projects have a repo app", "Name one: shop/app, site/app"]);
  expect((await named("docs")).slice(0, 2)).toEqual(["repo/not-found", "there is no repo docs"]);
});
