import { HARMFUL, numbered } from "../../contract/hidden-text.ts";

/*
 * Titles, file names, logs, sentences: all of it may have been written by whoever wants the person at the terminal to see
 * something else than what is. What a terminal obeys (control characters), what reverses or hides text (bidirectional
 * overrides, zero-width and tag characters) and halves of characters are shown by their number instead. Output is escaped
 * where it is written, so that no command can forget it.
 */

/** A line as it may be written to a terminal: whatever would break out of it is shown, not done. A line break is `⏎`. */
export const line = (text: string): string => text.replaceAll(/\r\n|\n/g, "⏎").replaceAll(HARMFUL, numbered);

/** So many blanks in a row push what follows out of view. */
const BLANKS_SHOWN = 8;
const BLANKS = new RegExp(
  `[\\u0020\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u2800\\u3000]{${BLANKS_SHOWN + 1},}`,
  "gu",
);

/** `line` for a value somebody else wrote, where its whole has to be seen: long runs of blanks are counted instead of shown. */
export const field = (text: string): string => line(text).replaceAll(BLANKS, (run) => `␣{${[...run].length}}`);

/** Text of several lines, a log or a diff, as lines. Tabs stay. */
export const block = (text: string): readonly string[] =>
  (text.endsWith("\n") ? text.slice(0, -1) : text).split(/\r?\n/).map((each) => each.split("\t").map(line).join("\t"));

/** JSON text means the same and can harm no terminal: in it such characters stand only inside strings. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replaceAll(HARMFUL, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`)
      .join(""),
  );
