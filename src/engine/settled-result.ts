import type { Act } from "../domain/step.ts";
import type { CommandResult, ToolTold } from "../ports/agent.ts";

/**
 * What the asker of an interrupted step is told, once a person has said what became of it: in the form in which the step itself would have
 * answered. Only what may have reached outside is asked about, so nothing else has a form here.
 */
export function settledResult(act: Act, said: "done" | "abort"): CommandResult | ToolTold {
  const words = said === "done" ? "A person says that this took effect." : "A person aborted this step.";
  switch (act.kind) {
    case "command":
      return said === "done"
        ? { exitCode: 0, endedBy: "itself", stdout: "", stderr: words }
        : { exitCode: null, endedBy: "cancel", stdout: "", stderr: words };
    case "tool":
      return { text: words, isError: said === "abort" };
    case "read":
    case "edit":
    case "prepare":
    case "gate":
    case "candidate":
    case "model":
    case "turn":
    case "deliver":
    case "deliver_together":
      throw new Error(`nobody is asked what became of a step of the kind ${act.kind}`);
  }
}
