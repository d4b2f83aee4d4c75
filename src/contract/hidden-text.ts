/*
 * Characters by which a text is other than it looks: what a terminal obeys, what reorders (bidirectional controls), what is invisible
 * (zero-width and tag characters, variation selectors), and halves of characters. Wherever text of others is shown, they are shown by number.
 */

const OBEYED = "\\u0000-\\u001f\\u007f-\\u009f";
const REORDERS = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";
const INVISIBLE =
  "\\u00ad\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200d\\u2028\\u2029\\u2060-\\u2065\\u206a-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e0fff}";
const HALVES = "\\ud800-\\udfff";
/** What must reach no terminal as it is. */
export const HARMFUL = new RegExp(`[${OBEYED}${REORDERS}${INVISIBLE}${HALVES}]`, "gu");
const HIDDEN = new RegExp(`[${REORDERS}${INVISIBLE}${HALVES}]`, "gu");

export const numbered = (character: string): string => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;

/** A text for a page, which obeys no control characters: what hides or reorders is shown by its number. */
export const unhidden = (text: string): string => text.replaceAll(HIDDEN, numbered);
