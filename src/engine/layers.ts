import { isFailure } from "../domain/failure.ts";
import type { Phase } from "../domain/phase.ts";
import { layerName } from "../domain/task.ts";
import type { EngineDependencies } from "./deps.ts";
import { setDesk } from "./desk.ts";
import type { Hold } from "./hold.ts";

/** Dependencies could not be installed: the task waits for a person, and says what the installer said. */
export class PrepareFailed extends Error {
  constructor(sentence: string) {
    super(sentence);
    this.name = "PrepareFailed";
  }
}

/** Has every repo's dependency layer for base or candidate prepared; what is prepared already is not asked for again. */
export async function ensureLayers(
  deps: EngineDependencies,
  hold: Hold,
  phase: Phase,
  on: "base" | "candidate",
): Promise<void> {
  for (const definition of hold.spec.prepare) {
    const known = hold.task().layers[layerName(definition.repo, definition.id, on)];
    if (known !== undefined && (await deps.layers.find(known)) !== null) continue;
    const task = hold.task();
    const commit = on === "base" ? task.bases?.[definition.repo]?.commit : task.candidate?.[definition.repo]?.commit;
    if (commit === undefined) continue;
    const desk = await setDesk(
      deps,
      hold,
      phase,
      `${task.attempt}.prepare-${definition.repo}-${definition.id}-${on}-${hold.epoch}`,
      null,
      on,
    );
    try {
      await deps.broker.prepare(desk, definition, commit, on);
    } catch (error) {
      if (isFailure(error, "agent/failed")) throw new PrepareFailed(error.message);
      throw error;
    }
  }
}
