/** `*` within one part of a path, `**` over any number of them, `{a,b}` one of several. */
export function folderPattern(pattern: string): RegExp {
  const plain = pattern.replace(/^\.\//, "").replace(/\/+$/, "");
  const source = plain
    .split(/(\*\*\/|\*\*|\*|\{[^{}]*\})/)
    .map((part) => {
      if (part === "**/") return "(?:.*/)?";
      if (part === "**") return ".*";
      if (part === "*") return "[^/]*";
      if (part.startsWith("{")) return `(?:${part.slice(1, -1).split(",").map(literal).join("|")})`;
      return literal(part);
    })
    .join("");
  return new RegExp(`^${source}$`);
}

const literal = (text: string): string => text.replace(/[^\w/]/g, "\\$&");
