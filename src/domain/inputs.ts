import type { Dependency } from "./dependency.ts";
import type { Input } from "./event.ts";

/** All that a task is shown of others, together. It is written anew for each run of a step. */
export const INPUT_BYTES_MAX = 64 * 1024 ** 2;

/** What a claim pins: of each required task what was pinned before, else what it has left by now. Only of those that are met. */
export const inputsAfter = (
  dependencies: readonly Dependency[],
  pinned: readonly Input[],
  met: readonly Input[],
): readonly Input[] =>
  dependencies.flatMap(({ on, kind }) => {
    const found =
      kind === "requires" ? (pinned.find(({ task }) => task === on) ?? met.find(({ task }) => task === on)) : undefined;
    return found === undefined ? [] : [found];
  });

export const bytesOf = (inputs: readonly Input[]): number =>
  inputs.reduce((sum, { artifacts }) => artifacts.reduce((more, { content }) => more + content.bytes, sum), 0);
