import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A row of LIST.md: the promise that the suite holds the system to. */
export interface Listed {
  readonly id: string;
  readonly ecosystem: string;
  /** The trick, or the honest change, in one line. */
  readonly what: string;
  /** What has to stop a cheat; what the spec of an honest change allows. */
  readonly last: string;
}

export const LISTED: readonly Listed[] = readFileSync(join(import.meta.dirname, "LIST.md"), "utf8")
  .split("\n")
  .flatMap((line) => {
    const found = /^\| (H?[NPTRG]\d\d) \| (\w+) \| (.*) \| ([^|]+) \|$/.exec(line);
    if (found === null) return [];
    const [, id = "", ecosystem = "", what = "", last = ""] = found;
    return [{ id, ecosystem, what: what.replaceAll("\\|", "|"), last }];
  });

export const listed = (id: string): Listed => {
  const found = LISTED.find((one) => one.id === id);
  if (found === undefined) throw new Error(`${id} is not in LIST.md`);
  return found;
};

/** What an honest change's spec says may change. */
export const allowed = ({ last }: Listed): readonly string[] => (last === "–" ? [] : last.split(", "));
