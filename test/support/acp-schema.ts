import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";

/**
 * The JSON schema that ships with the protocol's SDK as a judge of what passed on the wire: each message against the definition of its
 * method, answers against that of what they answer.
 */
interface Definition {
  readonly "x-method"?: string;
  readonly "x-side"?: string;
}

const place = dirname(createRequire(import.meta.url).resolve("@agentclientprotocol/sdk"));
const schema = JSON.parse(readFileSync(join(place, "..", "..", "..", "schema", "v1", "schema.json"), "utf8")) as {
  readonly $defs: Readonly<Record<string, Definition>>;
};
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema(schema, "acp");

const definitionOf = (method: string, kind: "Request" | "Response" | "Notification"): string | undefined =>
  Object.entries(schema.$defs).find(([name, one]) => one["x-method"] === method && name.endsWith(kind))?.[0];

interface Line {
  readonly from: "agent" | "client";
  readonly invalid?: string;
  readonly message: {
    readonly method?: string;
    readonly id?: string | number;
    readonly params?: unknown;
    readonly result?: unknown;
    readonly error?: unknown;
  };
}

export const linesOf = (transcript: string): readonly Line[] =>
  transcript
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);

/** One sentence for each message of a transcript that the schema does not allow, and how many were judged. */
export function judgeWire(transcript: string): { readonly judged: number; readonly wrong: readonly string[] } {
  const asked = new Map<string, string>();
  const wrong: string[] = [];
  let judged = 0;
  for (const { from, message, invalid } of linesOf(transcript)) {
    if (invalid !== undefined) continue;
    const other = from === "agent" ? "client" : "agent";
    const { method, id, params, result } = message;
    if (method !== undefined && id !== undefined) asked.set(`${from} ${id}`, method);
    const of = method ?? asked.get(`${other} ${id}`) ?? "";
    const kind = method === undefined ? "Response" : id === undefined ? "Notification" : "Request";
    if (kind === "Response" && !("result" in message)) continue;
    // Extensions, which the protocol leaves to agents, begin with an underscore.
    if (of.startsWith("_")) continue;
    const definition = definitionOf(of, kind);
    if (definition === undefined) {
      wrong.push(`${from}: ${of} is not in the schema`);
      continue;
    }
    judged += 1;
    const check = ajv.getSchema(`acp#/$defs/${definition}`);
    if (check === undefined || check(kind === "Response" ? result : params) !== true)
      wrong.push(`${from}: ${of} ${kind}: ${ajv.errorsText(check?.errors)}`);
  }
  return { judged, wrong };
}
