import { type Actor, actorText } from "../domain/actor.ts";
import { Failure, isFailure } from "../domain/failure.ts";
import { isLocal, KIND_WORDS, type LocalKind } from "../domain/provider-facts.ts";
import { advised } from "../domain/provider-platforms.ts";
import type { ProviderLog } from "./provider-log.ts";
import { recordProvider } from "./provider-log.ts";
import { isLoopback, knownProvider, type ProviderLooking, type ProviderSeen, seeProvider } from "./provider-places.ts";

type Running = ProviderLooking & ProviderLog;

export interface Ran {
  readonly seen: ProviderSeen;
  /** What a person has to do now; null: nothing. */
  readonly say: string | null;
}

/** Starts a provider's server, and says no where one answers already. */
export async function startProvider(deps: Running, by: Actor, id: string): Promise<Ran> {
  const seen = await seeProvider(deps, await knownProvider(deps, id));
  const { provider, place, judged, standing, ours } = seen;
  const kind = localKind(seen, "started");
  if (!isLoopback(place.baseUrl))
    throw new Failure("provider/refused", `${id} answers at ${place.baseUrl}, which is another machine`, {
      next: "Start it there; AgentOS only asks it.",
    });
  if (ours) throw new Failure("provider/refused", `${id} runs already (${standing.status})`);
  if (standing.status === "running" || standing.status === "loading")
    throw new Failure("provider/refused", `${id} runs already, and AgentOS did not start it`);
  if (judged !== null && judged.is !== "nobody")
    throw new Failure("provider/refused", `${id} cannot be started: ${standing.detail}`, {
      next: `End that program, or name another port: agentos provider set ${id} --port PORT`,
    });
  const { advice } = deps.providers.platform.local[kind];
  if (provider.facts.executable !== null) await deps.providers.program(kind, provider.facts.executable);
  if (place.executable === null && kind !== "lmstudio")
    throw new Failure("provider/refused", `the program of ${KIND_WORDS[kind]} was not found on this machine`, {
      next: advised(advice.install, id),
    });
  const launch = await deps.providers.launch(place);
  if (launch.how === "app") {
    await deps.providers.open(launch);
    return { seen, say: launch.say };
  }
  let recorded = false;
  try {
    const found = await deps.providers.start(place, launch, async (started) => {
      await recordProvider(deps, by, id, () => [{ type: "PROVIDER_STARTED", body: started }]);
      recorded = true;
    });
    const status = found.loading ? "loading" : "running";
    await recordProvider(deps, by, id, ({ provider: now }) => [
      {
        type: "PROVIDER_STATUS_CHANGED",
        body: { status, from: now.status, detail: `it answers at ${place.baseUrl}` },
      },
    ]);
  } catch (error) {
    if (recorded)
      await recordProvider(deps, by, id, () => [
        { type: "PROVIDER_STOPPED", body: { because: isFailure(error) ? error.message : "starting it failed" } },
      ]);
    throw error;
  }
  return { seen: await seeProvider(deps, await knownProvider(deps, id)), say: null };
}

/** Stops what AgentOS started, in this daemon or in an earlier one, and nothing else. */
export async function stopProvider(deps: Running, by: Actor, id: string): Promise<Ran> {
  const seen = await seeProvider(deps, await knownProvider(deps, id));
  const kind = localKind(seen, "stopped");
  const { started } = seen.provider;
  if (started === null) throw notOurs(deps, seen, kind);
  const stopped = await deps.providers.stop(seen.place, started);
  await recordProvider(deps, by, id, ({ provider }) =>
    provider.started === null
      ? []
      : [
          {
            type: "PROVIDER_STOPPED",
            body: { because: stopped ? `${actorText(by)} stopped it` : "it had ended by itself" },
          },
        ],
  );
  const after = await seeProvider(deps, await knownProvider(deps, id));
  if (!stopped && (after.standing.status === "running" || after.standing.status === "loading"))
    throw notOurs(deps, after, kind);
  return { seen: after, say: null };
}

export async function restartProvider(deps: Running, by: Actor, id: string): Promise<Ran> {
  const seen = await seeProvider(deps, await knownProvider(deps, id));
  if (seen.provider.started !== null) await stopProvider(deps, by, id);
  else if (seen.standing.status === "running" || seen.standing.status === "loading")
    throw notOurs(deps, seen, localKind(seen, "restarted"));
  return startProvider(deps, by, id);
}

function localKind({ provider: { id, facts } }: ProviderSeen, what: string): LocalKind {
  if (isLocal(facts.kind)) return facts.kind;
  throw new Failure(
    "provider/refused",
    `${id} (${KIND_WORDS[facts.kind]}) is not a server that can be ${what} from here`,
    {
      next: `agentos provider probe ${id} tries whether it answers.`,
    },
  );
}

function notOurs({ providers }: Running, { provider: { id }, standing }: ProviderSeen, kind: LocalKind): Failure {
  const runs = standing.status === "running" || standing.status === "loading";
  return runs
    ? new Failure("provider/refused", `AgentOS did not start ${id}, so it does not end it`, {
        next: advised(providers.platform.local[kind].advice.stop, id),
      })
    : new Failure("provider/refused", `AgentOS runs no ${id}: ${standing.detail}`, {
        next: `agentos provider start ${id}`,
      });
}
