import { Failure } from "./failure.ts";

export type RemoteScheme = "ssh" | "https" | "http" | "git" | "file";

/** A repository that is reached by git's own protocols, and never through its files. */
export interface Remote {
  /** As the person wrote it. */
  readonly url: string;
  readonly scheme: RemoteScheme;
  /** Lower case, brackets of an IPv6 address kept; empty for `file`. */
  readonly host: string;
  readonly port: number | null;
}

/** Where a repo lies is an absolute path, or the url of a remote one. */
export const isRemote = (place: string): boolean => !place.startsWith("/");

const SCHEMES: Readonly<Record<string, RemoteScheme>> = {
  ssh: "ssh",
  "git+ssh": "ssh",
  "ssh+git": "ssh",
  https: "https",
  http: "http",
  git: "git",
  file: "file",
};
const HOST = /^(?:[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]+\])$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9._+@-]{0,127}$/;
/** Names of people are short; tokens are not, or begin with the mark of who gave them out. */
const TOKEN = /^(?:[^@]{33,}|(?:gh[a-z]_|github_pat_|glpat-|gldt-|ATBB|xox|bbp_)[^@]*)@/;
const URL_CHARS_MAX = 2_000;

/**
 * The one door for urls: `scheme://[user@]host[:port]/path` and `user@host:path`. Nothing that git would read as an option or a helper
 * (`ext::`) gets through, and no secret: a url is written into the journal. Otherwise `Failure("repo/refused")`.
 */
export function parseRemote(url: string): Remote {
  const no = (why: string, next: string): Failure => new Failure("repo/refused", why, { next });
  // Not shown: it may hold what must not be written down.
  if (url.length > URL_CHARS_MAX || /[^\x21-\x7e]/.test(url))
    throw no("the url has characters that no git url has", "Write it with plain ASCII, other characters as %XX.");
  if (/^[^/]*\/\/[^/]*:[^/]*@/.test(url) || /^[^/@]*:[^/@]*@/.test(url))
    throw no(
      "the url holds a password or token; urls are kept in the history for ever",
      "Leave it out, revoke it if it was real, and name where it lies instead: remotes in config.yaml (docs/remotes.md).",
    );
  const [, scheme, rest] = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(.*)$/s.exec(url) ?? [];
  if (scheme === undefined || rest === undefined) return shortSsh(url, no);
  const known = SCHEMES[scheme];
  if (known === undefined || !Object.hasOwn(SCHEMES, scheme))
    throw no(`${scheme} is no way to reach a repository`, "Use ssh://, https://, git://, file:// or user@host:path.");
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? "" : rest.slice(slash);
  if (/[?#]/.test(url)) throw no("the url has a query or a fragment, and git urls have none", "Leave it out.");
  if (path.length < 2) throw no(`${url} names no repository`, "The path of the repository comes after the host.");
  if (known === "file") {
    if (authority !== "" && authority !== "localhost")
      throw no(`${url} names a file on another machine`, "Use file:///absolute/path.");
    return { url, scheme: known, host: "", port: null };
  }
  if ((known === "https" || known === "http") && TOKEN.test(authority))
    throw no(
      "what stands before the @ of the url looks like a token; urls are kept in the history for ever",
      "Leave it out, revoke it if it was real, and name where it lies instead: remotes in config.yaml (docs/remotes.md).",
    );
  const { host, port } = authorityOf(url, authority, no);
  return { url, scheme: known, host, port };
}

function authorityOf(url: string, authority: string, no: (why: string, next: string) => Failure) {
  const [, user, host = "", port] = /^(?:([^@]*)@)?(\[[^\]]*\]|[^:@]*)(?::(\d{1,5}))?$/.exec(authority) ?? [];
  if ((user !== undefined && !USER.test(user)) || !HOST.test(host.toLowerCase()) || Number(port ?? 1) > 65_535)
    throw no(`${url} does not name a host git can reach`, "The form is scheme://[user@]host[:port]/path.");
  return { host: host.toLowerCase(), port: port === undefined ? null : Number(port) };
}

/** `user@host:path`, which git takes for ssh. */
function shortSsh(url: string, no: (why: string, next: string) => Failure): Remote {
  const [, user, host = "", path = ""] = /^(?:([^@:/]+)@)?(\[[^\]]*\]|[^@:/]+):(?!:)(.+)$/s.exec(url) ?? [];
  if (path === "" || path.startsWith("-"))
    throw no(
      "that is neither an absolute path nor the url of a repository",
      "Name a path, or a url like https://host/path.git, ssh://user@host/path or user@host:path.",
    );
  if ((user !== undefined && !USER.test(user)) || !HOST.test(host.toLowerCase()))
    throw no(`${url} does not name a host git can reach`, "The form is user@host:path.");
  return { url, scheme: "ssh", host: host.toLowerCase(), port: null };
}

/** The name a repository goes by: the last part of its path, without `.git`. */
export const remoteName = (url: string): string =>
  (url.split(/[/:]/).findLast((part) => part !== "") ?? "repo").replace(/\.git$/, "");
