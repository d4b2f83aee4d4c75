import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Clause, DetailedError, Expr, PolicyJson } from "@cedar-policy/cedar-wasm/nodejs";
import { Failure } from "../../domain/failure.ts";
import type { PolicyLayer, PolicySetView, StandingPolicy } from "../../ports/policy.ts";
import { cedar } from "./cedar.ts";

/** Policies in the form that decides: parsed, checked, and known to Cedar under `hash`. */
export interface PolicySet extends PolicySetView {
  /** Under which name Cedar knows those of them that can speak of an action. */
  nameFor(action: string): string;
}

const readBeside = (name: string): string => readFileSync(new URL(`./${name}`, import.meta.url), "utf8");
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Facts about a command that are not known where it is opaque. */
const OF_COMMANDS: ReadonlySet<string> = new Set(["commands", "argv", "writes"]);

/** Cedar keeps every set it was given for good; what was compiled once is found again. */
const compiled = new Map<string, PolicySet>();
/** By the very list that was given: whoever gives the same one again pays for no digest. */
const recent = new WeakMap<readonly PolicyLayer[], PolicySet>();
let shipped: { readonly schema: string; readonly text: string } | null = null;

/**
 * The shipped policies with these layers below them. A layer that does not parse, does not fit the schema, names an id twice or permits
 * without a grant: `policy/invalid` with its line.
 */
export function compile(layers: readonly PolicyLayer[]): PolicySet {
  const known = recent.get(layers);
  if (known !== undefined) return known;
  const set = compiledOf(layers);
  recent.set(layers, set);
  return set;
}

function compiledOf(layers: readonly PolicyLayer[]): PolicySet {
  const { preparsePolicySet } = cedar();
  shipped ??= { schema: readBeside("agentos.cedarschema"), text: readBeside("default.cedar") };
  const { schema, text } = shipped;
  const hash = sha256(JSON.stringify([schema, text, ...layers]));
  const same = compiled.get(hash);
  if (same !== undefined) return same;
  const all = [
    ...parsed("shipped", text, schema, true),
    ...layers.flatMap((layer) => parsed(layer.name, layer.text, schema, layer.granted)),
  ];
  const policies = all.flatMap(({ standing, text: own, json }): [string, PolicyJson, PolicyJson | string][] => {
    const name = `${standing.layer}:${standing.id}`;
    const opaque = standing.forbidsOpaque ? onOpaque(json) : null;
    return [
      [name, json, own],
      ...(opaque === null ? [] : [[`${name}${OPAQUE}`, opaque, opaque] satisfies [string, PolicyJson, PolicyJson]]),
    ];
  });
  const prepare = (name: string, some: typeof policies): void => {
    const answer = preparsePolicySet(name, {
      staticPolicies: Object.fromEntries(some.map(([id, , policy]) => [id, policy])),
    });
    // Each was parsed already; what a forbid brings with it goes through JSON, which has no numbers that large.
    if (answer.type === "failure") throw refused("user", answer.errors[0]?.message ?? "they do not parse together");
  };
  prepare(hash, policies);
  const known = new Set<string>();
  const set: PolicySet = {
    hash,
    layers: [
      { name: "shipped", sha256: sha256(text), problem: null },
      ...layers.map((layer) => ({ name: layer.name, sha256: sha256(layer.text), problem: null })),
    ],
    policies: all.map(({ standing }) => standing),
    nameFor: (action) => {
      const name = `${hash} ${action}`;
      if (!known.has(name))
        prepare(
          name,
          policies.filter(([, json]) => speaksOf(json, action)),
        );
      known.add(name);
      return name;
    },
  };
  compiled.set(hash, set);
  return set;
}

/** Whether a policy can apply to this action at all, by its head: fewer to look at, the same answers. */
const speaksOf = ({ action }: PolicyJson, id: string): boolean => {
  if (action.op === "All") return true;
  const named = "entities" in action ? action.entities : "entity" in action ? [action.entity] : [];
  return named.some((one) => wordIn("__entity" in one ? one.__entity : one, "id") === id);
};

/** What stands behind the id of a policy that a forbid on commands brings with it. */
export const OPAQUE = " (opaque)";

interface Parsed {
  readonly standing: StandingPolicy;
  readonly text: string;
  readonly json: PolicyJson;
}

function parsed(layer: StandingPolicy["layer"], text: string, schema: string, mayPermit: boolean): readonly Parsed[] {
  const { policySetTextToParts, policyToJson, validate } = cedar();
  const answer = validate({ schema, policies: { staticPolicies: text } });
  if (answer.type === "failure") throw invalid(layer, text, answer.errors[0]);
  const wrong = answer.validationErrors[0] ?? answer.validationWarnings[0];
  if (wrong !== undefined) throw invalid(layer, text, wrong.error);
  const parts = policySetTextToParts(text);
  if (parts.type === "failure") throw invalid(layer, text, parts.errors[0]);
  if (parts.policy_templates.length > 0) throw refused(layer, "a template has nothing that fills it in");
  // The parts come sorted by a name of Cedar's own.
  const places = parts.policies
    .map((part) => ({ part, at: text.indexOf(part) }))
    .sort((one, other) => one.at - other.at);
  const ids = new Set<string>();
  return places.map(({ part, at }, index): Parsed => {
    const read = policyToJson(part);
    if (read.type === "failure") throw invalid(layer, text, read.errors[0]);
    const { annotations = {}, effect } = read.json;
    const line = lineOf(text, at);
    const id = annotations["id"] ?? `policy-${index + 1}`;
    if (!/^[\w./-]{1,100}$/.test(id))
      throw refused(layer, `line ${line}: ${JSON.stringify(id)} is no id; use letters, digits, - . and /`);
    if (ids.has(id)) throw refused(layer, `line ${line}: there are two policies with the id ${id}`);
    ids.add(id);
    if (effect === "permit" && !mayPermit)
      throw new Failure(
        "policy/invalid",
        `${layer} policy, line ${line}: ${id} permits, and a layer below the shipped one may only forbid`,
        {
          next: "Take it out, or let a person grant it: agentos policy set --grant.",
          facts: { layer },
        },
      );
    return {
      standing: {
        id,
        layer,
        effect,
        reason:
          annotations["reason"] ?? `${id} of the ${layer} policy ${effect === "forbid" ? "forbids" : "permits"} it`,
        forbidsOpaque: effect === "forbid" && (isOneCommand(read.json) || speaksOfCommands(read.json.conditions)),
      },
      text: part,
      json: read.json,
    };
  });
}

const lineOf = (text: string, at: number): number => text.slice(0, Math.max(0, at)).split("\n").length;

function invalid(layer: string, text: string, error: DetailedError | undefined): Failure {
  // Places are counted in bytes of UTF-8.
  const start = error?.sourceLocations?.[0]?.start ?? 0;
  const before = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, start));
  const words = (error?.message ?? "it does not parse").replace(
    /^failed to parse policies from string: |^for policy `\w+`, /,
    "",
  );
  const help = error?.help ?? error?.sourceLocations?.[0]?.label ?? null;
  return refused(layer, `line ${lineOf(before, before.length)}: ${words}${help === null ? "" : ` (${help})`}`);
}

const refused = (layer: string, why: string): Failure =>
  new Failure("policy/invalid", `${layer} policy, ${why}`, { facts: { layer } });

/** Whether an expression rests on what a command runs, which is not known of an opaque one. */
function speaksOfCommands(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(speaksOfCommands);
  if (typeof node !== "object" || node === null) return false;
  return Object.entries(node).some(
    ([key, inner]: readonly [string, unknown]) =>
      (key === "." && OF_COMMANDS.has(wordIn(inner, "attr"))) ||
      (key === "__entity" && wordIn(inner, "type") === "Command") ||
      speaksOfCommands(inner),
  );
}

const wordIn = (node: unknown, name: string): string => {
  const found: unknown = typeof node === "object" && node !== null ? Reflect.get(node, name) : null;
  return typeof found === "string" ? found : "";
};

const isOneCommand = ({ resource }: PolicyJson): boolean =>
  resource.op === "==" && "entity" in resource && wordIn(resource.entity, "type") === "Command";

/**
 * What a forbid on commands means for one that cannot be read: whatever it says of what runs may be so, all else it says holds. Never
 * narrower than the forbid itself, so that nothing is hidden from it.
 */
function onOpaque(policy: PolicyJson): PolicyJson {
  const conditions = policy.conditions.map(({ kind, body }): Clause => {
    const operator = kind === "when" ? "&&" : "||";
    const kept = partsOf(body, operator).filter((part) => !speaksOfCommands(part));
    return { kind, body: joined(kept, operator, kind === "when") };
  });
  const opaque: Clause = { kind: "when", body: { ".": { left: { Var: "context" }, attr: "opaque" } } };
  return {
    ...policy,
    resource: isOneCommand(policy) ? { op: "is", entity_type: "Command" } : policy.resource,
    conditions: [...conditions, opaque],
  };
}

function partsOf(body: Expr, operator: "&&" | "||"): readonly Expr[] {
  const both: unknown = Reflect.get(body, operator);
  if (typeof both !== "object" || both === null || !("left" in both) || !("right" in both)) return [body];
  const { left, right } = both as { readonly left: Expr; readonly right: Expr };
  return [...partsOf(left, operator), ...partsOf(right, operator)];
}

const joined = (parts: readonly Expr[], operator: "&&" | "||", none: boolean): Expr =>
  parts.reduce<Expr | null>(
    (left, right) =>
      left === null ? right : operator === "&&" ? { "&&": { left, right } } : { "||": { left, right } },
    null,
  ) ?? { Value: none };
