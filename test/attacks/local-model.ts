import { type SeenRequest, serveModel } from "../support/model-server.ts";
import { calls, type Scripted } from "../support/scripted-model.ts";

/*
 * A program: a model on this machine that mends `sum.js`, for a task that runs where no test runs. It says its port and serves until it
 * is ended.
 */

const ITEM = {
  id: "mend",
  title: "Add instead of subtract",
  paths: ["sum.js"],
  commands: ["node --test"],
  risk: "low",
};

function mends({ tools, messages }: SeenRequest): Scripted {
  const turn = messages.filter(({ role }) => role === "assistant").length;
  if (tools.includes("submit_plan"))
    return [calls(["read", { path: "sum.js" }])][turn] ?? calls(["submit_plan", { items: [ITEM] }]);
  const does = [
    calls(["edit", { path: "sum.js", find: "a - b", replace: "a + b" }]),
    calls(["run", { command: "node --test" }]),
  ];
  return does[turn] ?? calls(["finish_item", { summary: "it adds" }]);
}

const { port } = await serveModel({ answer: mends });
console.log(port);
