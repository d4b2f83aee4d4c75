import type { Finding } from "./context.ts";
import { field } from "./escape.ts";

/** What names a task and a sequence first: that is where a person looks. */
export const tellingFirst = (findings: readonly Finding[]): readonly Finding[] => [
  ...findings.filter(({ seq }) => seq !== null),
  ...findings.filter(({ seq }) => seq === null),
];

export const findingLine = ({ stream, seq, problem }: Finding): string =>
  `${field(stream)}${seq === null ? "" : ` #${seq}`}: ${field(problem)}`;
