import { z } from "zod";
import { trouble } from "../../client/trouble.ts";
import { command, flag } from "../command.ts";
import { field } from "../escape.ts";

export const doctor = command({
  args: z.strictObject({
    fix: flag(z.boolean().default(false), "do what can be done without you"),
    dryRun: flag(z.boolean().default(false), "with --fix: only say what would be done"),
  }),
  async run({ fix, dryRun }, { offline, settings, out }) {
    const found = await offline.doctor(settings.home, { fix, dryRun });
    out.result(found, ({ ready, checks }) => [
      ...checks.flatMap((check) => [
        `${check.ok ? "ok     " : check.required ? "MISSING" : "absent "}  ${field(check.name)}: ${field(check.detail)}${check.fixed ? " (done now)" : ""}`,
        ...(check.ok || check.next === null ? [] : [`         ${field(check.next)}`]),
      ]),
      ready ? "ready" : "not ready",
    ]);
    const missing = found.checks.filter(({ ok, required }) => required && !ok);
    if (!found.ready)
      throw trouble("doctor/unready", `this machine is not ready: ${missing.map(({ name }) => name).join(", ")}`, {
        next: missing[0]?.next ?? undefined,
        facts: { missing: missing.map(({ name }) => name) },
      });
  },
});
