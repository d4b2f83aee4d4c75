import type { Finding } from "./context.ts";
import { field } from "./escape.ts";

export const findingLine = ({ stream, seq, problem }: Finding): string => `${field(stream)}${seq === null ? "" : ` #${seq}`}: ${field(problem)}`;
