import type { AgentListView, AgentProbeView, AgentTestView } from "../../contract/views.ts";
import { columns } from "./columns.ts";
import { block, field } from "./escape.ts";

export const agentLines = ({ items }: AgentListView): readonly string[] =>
  columns([
    ["NAME", "AGENT", "WHERE"],
    ...items.map(({ name, title, path, install }) => [name, title, path ?? `not found; install it: ${install}`]),
  ]);

export const probeLines = (probe: AgentProbeView): readonly string[] => [
  ...(probe.protocol === 0
    ? ["It does not speak the protocol."]
    : [
        `${field(probe.agent ?? "It")}${probe.version === null ? "" : ` ${field(probe.version)}`} speaks version ${probe.protocol} of the protocol${probe.agent === null ? ", and does not say its name" : ""}.`,
        `Sessions: ${probe.loads_sessions ? "it goes on in the one before" : "always a new one, told what happened before"}`,
        `Modes: ${probe.modes.length === 0 ? "none" : probe.modes.map(field).join(", ")}`,
        `Ways to sign in: ${probe.auth_methods.length === 0 ? "none asked for" : probe.auth_methods.map(field).join(", ")}`,
      ]),
  ...(probe.trouble === null ? [] : [`Trouble: ${field(probe.trouble)}`]),
];

export const testLines = (trial: AgentTestView): readonly string[] => [
  `Its turn ended: ${field(trial.stop.replaceAll("_", " "))}`,
  `Files it left: ${trial.changed.length === 0 ? "none" : trial.changed.map(field).join(", ")}`,
  trial.asked.length === 0 && trial.denied.length === 0
    ? "It asked its client for nothing: mounts and egress alone would govern it."
    : `It asked for: ${[...trial.asked, ...trial.denied].map(field).join(", ")}`,
  ...(trial.trouble === null ? [] : [`Trouble: ${field(trial.trouble)}`]),
  ...(trial.message === "" ? [] : ["It said:", ...block(trial.message).map((line) => `  ${line}`)]),
];
