import { isFailure } from "../../domain/failure.ts";
import { crossedRedLine } from "../../domain/red-line.ts";
import type { PolicyAnswer, PolicyBook, PolicyLayer, StandingPolicy } from "../../ports/policy.ts";
import { cedar } from "./cedar.ts";
import { compile, OPAQUE, type PolicySet } from "./compile.ts";
import { type Facts, factsOf } from "./facts.ts";

/** The layers that stand for a project now, the person's own first. May throw a `Failure`: then everything is refused. */
export type LayersOf = (project: string | null) => Promise<readonly PolicyLayer[]>;

/**
 * Red lines first, compiled in; then Cedar. Each question is put twice at most: as it is, and, when that is no, with a person's word in its
 * context. Permitted at once: allow. Permitted only then: ask. Otherwise: deny. So one set of policies says all three, and a forbid that does
 * not look at `context.person` is a no that nobody's word changes.
 */
export function cedarPolicy(layersOf: LayersOf): PolicyBook {
  return {
    async decide(question) {
      const line = crossedRedLine(question.act);
      if (line !== null)
        return {
          verdict: "deny",
          rule: `red-line/${line.id}`,
          policy: `red-line:${line.id}`,
          set: "",
          reason: `${line.means}: this can not be allowed by anyone`,
        };
      let set: PolicySet;
      try {
        set = compile(await layersOf(question.project));
      } catch (error) {
        if (!isFailure(error)) throw error;
        return {
          verdict: "deny",
          rule: "policy/broken",
          policy: "none",
          set: "",
          reason: `${error.message}: until it can be read, nothing is allowed`,
        };
      }
      return worst(factsOf(question).map((facts) => decided(set, facts)));
    },

    check: (layer) => compile([layer]),

    async inForce(project) {
      let layers: readonly PolicyLayer[] = [];
      try {
        layers = await layersOf(project);
        return compile(layers);
      } catch (error) {
        if (!isFailure(error)) throw error;
        const { layers: standing, ...set } = compile([]);
        return {
          ...set,
          layers: [...standing, { name: String(error.facts["layer"] ?? "user"), sha256: "", problem: error.message }],
        };
      }
    },
  };
}

const RANK = { allow: 0, ask: 1, deny: 2 } as const;
const worst = (answers: readonly PolicyAnswer[]): PolicyAnswer =>
  answers.reduce((one, other) => (RANK[other.verdict] > RANK[one.verdict] ? other : one));

/** Cedar knows neither time nor chance, so of the same facts one set of policies always says the same. */
const answered = new WeakMap<PolicySet, Map<string, PolicyAnswer>>();
/** So many answers are kept of a set, and none to a question longer than this. */
const ANSWERS_MOST = 200;
const QUESTION_CHARACTERS = 4_000;

/** The answer of Cedar, or the one it gave when the very same was asked before: agents ask for the same again and again. */
function decided(set: PolicySet, facts: Facts): PolicyAnswer {
  const question = JSON.stringify(facts);
  if (question.length > QUESTION_CHARACTERS) return judged(set, facts);
  let answers = answered.get(set);
  if (answers === undefined || answers.size >= ANSWERS_MOST) {
    answers = new Map();
    answered.set(set, answers);
  }
  const known = answers.get(question);
  if (known !== undefined) return known;
  const given = judged(set, facts);
  answers.set(question, given);
  return given;
}

function judged(set: PolicySet, facts: Facts): PolicyAnswer {
  const without = asked(set, facts, false);
  if (without.allowed) return answer(set, facts, "allow", without.because);
  const withWord = asked(set, facts, true);
  if (!withWord.allowed) return answer(set, facts, "deny", withWord.because);
  // A forbid that the word lifts says why it is needed; where none is, the permit that rests on the word does.
  return answer(set, facts, "ask", without.because.length > 0 ? without.because : withWord.because);
}

interface Authorized {
  readonly allowed: boolean;
  readonly because: readonly string[];
}

function asked(set: PolicySet, { principal, action, resource, context }: Facts, person: boolean): Authorized {
  const { statefulIsAuthorized } = cedar();
  const said = statefulIsAuthorized({
    principal,
    action,
    resource,
    entities: [],
    context: { ...context, person },
    preparsedPolicySetId: set.nameFor(action.id),
  });
  if (said.type === "failure") throw new Error(`Cedar did not answer: ${said.errors[0]?.message}`);
  const { decision, diagnostics } = said.response;
  // A policy that fails is left out by Cedar, and it may have been a forbid.
  if (diagnostics.errors.length > 0)
    return { allowed: false, because: diagnostics.errors.map(({ policyId }) => policyId) };
  return { allowed: decision === "allow", because: diagnostics.reason };
}

function answer(
  set: PolicySet,
  { words }: Facts,
  verdict: PolicyAnswer["verdict"],
  because: readonly string[],
): PolicyAnswer {
  // Of several, the first in the order they stand in: shipped ones before others.
  const found = set.policies.find(({ layer, id }) => because.includes(`${layer}:${id}`)) ?? null;
  if (found !== null) return told(set, verdict, found, filled(found.reason, words));
  const unread = set.policies.find(({ layer, id }) => because.includes(`${layer}:${id}${OPAQUE}`));
  if (unread !== undefined)
    return told(
      set,
      verdict,
      unread,
      `${filled(unread.reason, words)}; what it runs cannot be read (${words["opaque"]}), so that is forbidden too`,
    );
  return { verdict, rule: "none", policy: "none", set: set.hash, reason: `no policy permits ${words["kind"]} here` };
}

const told = (
  set: PolicySet,
  verdict: PolicyAnswer["verdict"],
  { layer, id }: StandingPolicy,
  reason: string,
): PolicyAnswer => ({
  verdict,
  rule: layer === "shipped" ? id : `${layer}/${id}`,
  policy: `${layer}:${id}`,
  set: set.hash,
  reason,
});

const filled = (reason: string, words: Readonly<Record<string, string>>): string =>
  reason.replace(/\{(\w+)\}/g, (whole, name: string) => (Object.hasOwn(words, name) ? (words[name] ?? whole) : whole));
