/**
 * File names are bytes. Inside this adapter a name is a string with one character per byte ("byte name"), so that names
 * that are no UTF-8 survive; at the port names are text.
 */
export type ByteName = string;

export const toByteName = (text: string): ByteName => Buffer.from(text, "utf8").toString("latin1");
/** For people: bytes that are no UTF-8 show as U+FFFD. */
export const toText = (name: ByteName): string => Buffer.from(name, "latin1").toString("utf8");
/** For the file system. */
export const onDisk = (name: ByteName): Buffer => Buffer.from(name, "latin1");

export const join = (directory: ByteName, name: ByteName): ByteName =>
  directory === "" ? name : `${directory}/${name}`;
export const parentOf = (path: ByteName): ByteName => path.slice(0, Math.max(0, path.lastIndexOf("/")));
export const baseOf = (path: ByteName): ByteName => path.slice(path.lastIndexOf("/") + 1);

/** Splits git's `-z` output. */
export const records = (output: Buffer): ByteName[] => {
  const parts = output.toString("latin1").split("\0");
  if (parts.at(-1) === "") parts.pop();
  return parts;
};

/**
 * Git refuses some names in trees: `.git` in any case, what other systems would read as `.git` (`git~1`, `.git.`, ignorable
 * Unicode in between, a backslash before it), and has rules of its own for `.gitmodules`. In a workspace tree such a name
 * is written as PREFIX + the name, with `%` and `\` as `%25` and `%5C`. A name that already begins with PREFIX is written
 * the same way, so the writing has exactly one reading.
 */
const PREFIX = "%agentos%";
const REFUSED = /^(\.git$|\.git[^a-z]|\.gitmodules|git~|gitmod~|gi7eba~)/;

export const nameInTree = (name: ByteName): ByteName => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the class is "every byte of ASCII"
  const plain = name.replace(/[^\x00-\x7f]/g, "").toLowerCase();
  if (!REFUSED.test(plain) && !name.includes("\\") && !name.startsWith(PREFIX)) return name;
  return PREFIX + name.replace(/[%\\]/g, (character) => (character === "%" ? "%25" : "%5C"));
};

export const nameFromTree = (name: ByteName): ByteName =>
  name.startsWith(PREFIX)
    ? name.slice(PREFIX.length).replace(/%25|%5C/g, (code) => (code === "%25" ? "%" : "\\"))
    : name;

export const pathFromTree = (path: ByteName): ByteName => path.split("/").map(nameFromTree).join("/");
