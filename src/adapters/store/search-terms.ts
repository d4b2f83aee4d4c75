/**
 * What a person typed as an expression of the full-text index: every word must occur, as it stands or as the beginning of a longer one;
 * what is in double quotes must occur as it stands, word after word. Nothing that is typed is syntax: each part becomes a quoted string.
 * Empty when nothing to look for was typed.
 */
export function searchTerms(typed: string): string {
  // The index takes its expression as C text, which ends at a NUL.
  const parts = typed.replaceAll("\0", " ").split('"');
  return parts
    .flatMap((part, at) => {
      // Between the first and second quote, the third and fourth …; a quote that is never closed reaches to the end.
      if (at % 2 === 1) return part.trim() === "" ? [] : [`"${part.trim()}"`];
      return part
        .split(/\s+/)
        .filter((word) => word !== "")
        .map((word) => `"${word}"*`);
    })
    .join(" ");
}
