import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { DecisionView, PolicyView } from "../../contract/views.ts";
import { trouble } from "../client/trouble.ts";
import { field } from "./escape.ts";

const BYTES_MAX = 1024 ** 2;

/** Lines that say which policies stand, by layer. */
export const policyLines = ({ hash, layers, policies }: PolicyView): readonly string[] => [
  ...layers.flatMap(({ name, sha256, problem }) => [
    `${name}: ${problem === null ? sha256 : `NOT IN FORCE, so nothing is allowed: ${field(problem)}`}`,
    ...policies
      .filter(({ layer }) => layer === name)
      .map(
        (one) =>
          `  ${one.effect} ${field(one.id)}: ${field(one.reason)}${one.forbids_opaque ? " (and what cannot be read)" : ""}`,
      ),
  ]),
  `all together: ${hash}`,
];

export const decisionLine = ({ verdict, policy, reason }: DecisionView): string =>
  `${verdict} by ${field(policy)}: ${field(reason)}`;

/** A policy file whole, as UTF-8. */
export async function readPolicyFile(path: string, workingDirectory: string): Promise<string> {
  try {
    const opened = await open(resolve(workingDirectory, path));
    try {
      const { size } = await opened.stat();
      if (size > BYTES_MAX)
        throw trouble("input/too-large", `${path} has ${size} bytes; a policy file may have ${BYTES_MAX}`);
      return new TextDecoder("utf-8", { fatal: true }).decode(await opened.readFile());
    } finally {
      await opened.close();
    }
  } catch (error) {
    if (error instanceof TypeError) throw trouble("input/invalid", `${path} is no UTF-8 text`);
    if (error instanceof Error && "code" in error && typeof error.code === "string" && error.code.startsWith("E"))
      throw trouble("input/invalid", `${path} cannot be read (${error.code})`);
    throw error;
  }
}
