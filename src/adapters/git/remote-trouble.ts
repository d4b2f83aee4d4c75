import { Failure, type FailureCode } from "../../domain/failure.ts";
import type { Remote } from "../../domain/remote.ts";

type RemoteTrouble = Extract<FailureCode, `remote/${string}`>;

interface Row {
  readonly code: RemoteTrouble;
  /** What the program writes under LC_ALL=C. */
  readonly says: RegExp;
  /** What that means, as the end of "<url> …". */
  readonly means: string;
}

/**
 * Git has one exit code (128) for nearly everything that goes wrong on a network; what went wrong is only in the words of the program
 * that talked: git itself (remote-curl.c, credential.c, connect.c, transport.c), libcurl's error strings, and OpenSSH (sshconnect.c,
 * sshconnect2.c, packet.c). They are the same for years, are forced into English by LC_ALL=C, and are read here, once; nobody else looks
 * at them. The first row that fits counts. What fits none is `remote/failed`, never a guess.
 */
const ROWS: readonly Row[] = [
  {
    code: "remote/host-unknown",
    says: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No \S+ host key is known for/i,
    means: "is on a host whose ssh key is not known here, or is not the known one",
  },
  {
    code: "remote/host-unknown",
    says: /SSL certificate problem|server certificate verification failed|SSL: no alternative certificate|certificate subject name/i,
    means: "is on a host whose certificate does not prove who it is",
  },
  {
    code: "remote/auth-needed",
    says: /could not read (?:Username|Password) for|terminal prompts disabled/,
    means: "asks for credentials, and none that were found fit",
  },
  {
    code: "remote/auth-refused",
    says: /Authentication failed for|The requested URL returned error: 40[13]|HTTP 40[13]|Permission denied \(|access denied or repository not exported|Too many authentication failures/i,
    means: "does not let these credentials in",
  },
  {
    code: "remote/not-found",
    says: /repository '[^']*' not found|The requested URL returned error: 404|does not appear to be a git repository|Repository not found|project you were looking for could not be found|not valid: is this a git repository|no matching repositories/i,
    means: "is not there",
  },
  {
    code: "remote/timeout",
    says: /Operation (?:too slow|timed out)|Connection timed out|timed out after|Connection to \S+ port \d+ timed out|banner exchange: .*timed out/i,
    means: "did not answer in time",
  },
  {
    code: "remote/unreachable",
    says: /Could not resolve (?:host|proxy)|Couldn't connect to server|Failed to connect to|Connection refused|Connection reset|Connection closed by|No route to host|Network is unreachable|unable to connect to|unable to look up|Name or service not known|The requested URL returned error: 5\d\d|the remote end hung up unexpectedly|early EOF|Empty reply from server|RPC failed/i,
    means: "cannot be reached",
  },
];

/** Trouble on the way to a remote repository, as what a person can act on. */
export function troubleWith(
  remote: Remote,
  said: { readonly stderr: string; readonly timedOutAfterMs: number | null; readonly secrets: readonly string[] },
): Failure {
  const facts = { url: remote.url, scheme: remote.scheme };
  if (said.timedOutAfterMs !== null)
    return new Failure("remote/timeout", `${remote.url} did not answer within ${said.timedOutAfterMs / 1_000} s`, {
      facts,
    });
  const row = ROWS.find(({ says }) => says.test(said.stderr));
  if (row !== undefined) return new Failure(row.code, `${remote.url} ${row.means}`, { facts });
  const words = tellable(said.stderr, said.secrets);
  return new Failure("remote/failed", `git could not talk to ${remote.url}${words === "" ? "" : `: ${words}`}`, {
    facts,
  });
}

/** One line of `git push --porcelain` for a ref that was not taken: `!<TAB>from:to<TAB>summary (reason)`. */
export function refusalOfPush(
  remote: Remote,
  branch: string,
  summary: string,
  stderr: string,
  secrets: readonly string[],
): Failure {
  const facts = { url: remote.url, branch };
  const words = tellable(
    stderr
      .split("\n")
      .filter((line) => line.startsWith("remote: "))
      .map((line) => line.slice("remote: ".length).trim())
      .filter((line) => line !== "")
      .join(" "),
    secrets,
  );
  const told = words === "" ? "" : `; it says: ${words}`;
  if (MOVED.test(summary))
    return new Failure("remote/moved", `${branch} of ${remote.url} was moved by somebody meanwhile`, { facts });
  if (REFUSED_BY_RULE.test(summary))
    return new Failure("remote/protected", `${remote.url} does not take a push to ${branch}${told}`, { facts });
  return new Failure(
    "remote/failed",
    `${remote.url} did not take the push to ${branch} (${tellable(summary, secrets)})${told}`,
    { facts },
  );
}

/** The client's own reasons (transport.c) and those of receive-pack (builtin/receive-pack.c): the ref is not what it was taken for. */
const MOVED =
  /stale info|fetch first|non-fast-forward|needs force|already exists|failed to lock|cannot lock ref|failed to update ref|incorrect old value/i;
/** receive-pack's hooks and settings, and what the large hosts put in that place. */
const REFUSED_BY_RULE =
  /hook declined|protected|prohibited|hidden ref|currently checked out|denied|not allowed|ref updates/i;

const WORDS_MAX = 300;

/** A server's words, for people: one line, bounded, without control characters and without any form of a secret. */
export function tellable(text: string, secrets: readonly string[]): string {
  let left = text;
  for (const secret of secrets.flatMap(formsOf)) left = left.replaceAll(secret, "[secret]");
  return left
    .replace(/\/\/[^\s/@]+@/g, "//")
    .replace(/[^\P{C}\n]/gu, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, WORDS_MAX);
}

/** As it is, and as servers and clients write it: in a url, in a header. */
function formsOf(secret: string): string[] {
  if (secret.length < 4) return [];
  const base64 = Buffer.from(secret).toString("base64").replace(/=+$/, "");
  return [secret, encodeURIComponent(secret), base64];
}
