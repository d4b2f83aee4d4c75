import type { Remote } from "../../domain/remote.ts";
import { type Credentials, credentialsFor, type RemoteAccess } from "./credentials.ts";
import { troubleWith } from "./remote-trouble.ts";
import { type Git, type GitAnswer, type GitCall, GitError } from "./run.ts";

const LOOK_MS = 60_000;
/** A transfer that stands still ends sooner, by git's own limit on slowness. */
const TRANSFER_MS = 15 * 60_000;

/** One call of git that talks to a remote repository. */
export interface Talk {
  readonly answer: GitAnswer;
  readonly credentials: Credentials;
}

/**
 * The only place where git may use the network: with the person's credentials, for this remote's way of talking alone, without a prompt,
 * in bounded time, ended together with its children. Its words are read in `remote-trouble.ts`; they and the credentials go no further.
 */
export async function talk(
  git: Git,
  remote: Remote,
  access: RemoteAccess,
  args: readonly string[],
  call: GitCall,
  what: "look" | "transfer",
): Promise<Talk> {
  const timeoutMs = what === "look" ? (access.lookMs ?? LOOK_MS) : (access.transferMs ?? TRANSFER_MS);
  const credentials = await credentialsFor(git, remote, access);
  const begun = performance.now();
  try {
    const answer = await git.run(args, {
      ...call,
      config: [
        ...(call.config ?? []),
        [`protocol.${remote.scheme}.allow`, "always"],
        ["http.lowSpeedLimit", "100"],
        ["http.lowSpeedTime", "45"],
        ["transfer.credentialsInUrl", "die"],
        ["transfer.advertiseSID", "false"],
        ["push.followTags", "false"],
        ["push.gpgSign", "false"],
        ["push.recurseSubmodules", "no"],
        ...credentials.config,
      ],
      environment: { ...call.environment, ...credentials.environment },
      timeoutMs,
      ownGroup: true,
      diesWithUs: true,
    });
    return { answer, credentials };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    // The error's own words are not kept as its cause: they may hold what a server or helper said.
    const late = error.code === null && performance.now() - begun >= timeoutMs;
    throw troubleWith(remote, {
      stderr: error.stderr,
      timedOutAfterMs: late ? timeoutMs : null,
      secrets: credentials.secrets,
    });
  }
}
