import type { DetectedView, ProbeResultView, ProviderView } from "../../contract/views.ts";
import { columns, moment } from "./columns.ts";
import { field } from "./escape.ts";

/** Those that answer or that somebody configured; of the rest only that they are not here. */
export function providerTable(items: readonly ProviderView[]): readonly string[] {
  const told = items.filter((one) => one.configured || ANSWERS.has(one.status));
  const others = items.filter((one) => !told.includes(one));
  return [
    ...(told.length === 0
      ? ["no provider answers, and none is configured"]
      : columns([
          ["ID", "KIND", "STATUS", "AT", "DETAIL"],
          ...told.map((one) => [one.id, one.kind, one.status, one.base_url, one.detail]),
        ])),
    ...(others.length === 0
      ? []
      : [`Known and not in use: ${others.map(({ id, status }) => `${field(id)} (${status})`).join(", ")}`]),
  ];
}

const ANSWERS: ReadonlySet<ProviderView["status"]> = new Set(["running", "loading", "starting"]);

export const foundLines = (found: DetectedView["found"]): readonly string[] =>
  found.map(
    ({ kind, base_url, version, on, suggested_id }) =>
      `Found ${kind}${version === null ? "" : ` ${field(version)}`} at ${field(base_url)}${on === "windows" ? " on Windows" : ""}, which nobody has added: agentos provider add ${field(suggested_id)} --kind ${kind} --url ${field(base_url)}`,
  );

export const providerLines = (one: ProviderView): readonly string[] => [
  `provider ${field(one.id)}`,
  `Kind: ${one.kind}`,
  `Status: ${one.status}, ${field(one.detail)}`,
  ...(one.next === null ? [] : [`Next: ${field(one.next)}`]),
  `Address: ${field(one.base_url)}`,
  ...(one.version === null ? [] : [`Version: ${field(one.version)}`]),
  ...(one.key_name === null ? [] : [`Key: ${field(one.key_name)}, ${one.has_key ? "there" : "not there"}`]),
  ...(one.executable === null ? [] : [`Program: ${field(one.executable)}`]),
  ...(one.models_directory === null ? [] : [`Models: ${field(one.models_directory)}`]),
  ...(one.model_file === null ? [] : [`Model file: ${field(one.model_file)}`]),
  ...(one.context_tokens === null ? [] : [`Context: ${one.context_tokens} tokens`]),
  ...Object.entries(one.prices).map(
    ([model, { input, output }]) =>
      `Price of ${field(model)}: $${input / 1_000_000} in, $${output / 1_000_000} out, for a million tokens`,
  ),
  one.started === null
    ? "Started by AgentOS: no"
    : `Started by AgentOS: ${one.started.alive ? `yes${one.started.pid === null ? "" : `, pid ${one.started.pid}`}` : "yes, and it has ended"} (${field(one.started.argv.join(" "))})`,
  ...(one.probe === null
    ? []
    : [`Probed: ${moment(one.probe.at)}`, ...probeLines(one.probe).map((line) => `  ${line}`)]),
];

export const probeLines = (found: ProbeResultView): readonly string[] => [
  `Model: ${field(found.model)}`,
  `Tool calls: ${found.tool_call.replaceAll("_", " ")}, ${field(found.detail)}`,
  `Context: ${tokens(found.context_tokens)}${found.context_tokens_max === null ? "" : ` of ${found.context_tokens_max} that the model allows`}`,
  `Speed: ${found.tokens_per_second === null ? "not measured" : `${found.tokens_per_second} tokens a second`}`,
  ...found.change.map((one) => `Change: ${field(one)}`),
];

const tokens = (n: number | null): string => (n === null ? "unknown" : `${n} tokens`);
