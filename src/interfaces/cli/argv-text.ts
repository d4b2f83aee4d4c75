/** A command as a person would type it; a shell's text as that text. For eyes, not for running. */
export function argvText(argv: readonly string[]): string {
  const [shell, dash, text, ...rest] = argv;
  if (shell === "/bin/sh" && dash === "-c" && text !== undefined && rest.length === 0) return text;
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
}
