import { readFileSync, statSync } from "node:fs";
import { Failure } from "../../domain/failure.ts";
import type { Remote } from "../../domain/remote.ts";
import type { Git } from "./run.ts";
import { shellWord } from "./shell-word.ts";
import { readSmall } from "./source.ts";

/** What a person set for one host in `remotes` of config.yaml. */
export interface HostAccess {
  readonly tokenEnv: string | null;
  readonly tokenFile: string | null;
  readonly username: string | null;
  readonly sshKey: string | null;
  readonly knownHosts: string | null;
}

/** The daemon's own means to reach remote repositories: never given to a sandbox. */
export interface RemoteAccess {
  /** The person's home: git settings, netrc. */
  readonly home: string;
  /** A variable of the daemon's environment. */
  readonly variable: (name: string) => string | undefined;
  /** By `host` or `host:port`. */
  readonly hosts: Readonly<Record<string, HostAccess>>;
  /** How long a look at refs and a transfer of objects may take. */
  readonly lookMs?: number;
  readonly transferMs?: number;
}

export const NO_ACCESS: RemoteAccess = { home: "/nonexistent", variable: () => undefined, hosts: {} };

/** How the credentials were found; never what they are. */
export type CredentialKind =
  | "none needed"
  | "none found"
  | "token from the environment"
  | "token from a file"
  | "netrc"
  | "credential helper"
  | "ssh key"
  | "ssh agent"
  | "ssh settings";

/** What one network git call gets, beside what every call gets. */
export interface Credentials {
  readonly kind: CredentialKind;
  readonly config: readonly (readonly [string, string])[];
  readonly environment: Readonly<Record<string, string>>;
  /** What must never be seen in any output. */
  readonly secrets: readonly string[];
}

/** Proxies and certificate authorities of the machine, and what a person's own credential helper needs to find its store. */
const PASSED = [
  "PATH",
  "USER",
  "LOGNAME",
  "http_proxy",
  "https_proxy",
  "HTTPS_PROXY",
  "all_proxy",
  "ALL_PROXY",
  "no_proxy",
  "NO_PROXY",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "GIT_SSL_CAINFO",
  "DBUS_SESSION_BUS_ADDRESS",
  "XDG_RUNTIME_DIR",
  "XDG_CONFIG_HOME",
  "GNUPGHOME",
] as const;

/**
 * Git asks a helper only for the address it is set for, a redirect to another host included, so this one names the host. The secret is in
 * the environment of that git alone: not in its arguments, not in a url, not in a file.
 */
const HELPER = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$AGENTOS_GIT_USERNAME" "$AGENTOS_GIT_PASSWORD"; }; f`;
const USERNAME = "git";

/** In this order: what is set for the host, then the person's own means. A token that cannot be read is said, not passed over. */
export async function credentialsFor(git: Git, remote: Remote, access: RemoteAccess): Promise<Credentials> {
  const environment: Record<string, string> = { HOME: access.home, GIT_TERMINAL_PROMPT: "0" };
  for (const name of PASSED) {
    const value = access.variable(name);
    if (value !== undefined && value !== "") environment[name] = value;
  }
  const host = access.hosts[`${remote.host}:${remote.port}`] ?? access.hosts[remote.host] ?? null;
  switch (remote.scheme) {
    case "file":
    case "git":
      return { kind: "none needed", config: [], environment, secrets: [] };
    case "ssh":
      return sshCredentials(environment, access, host);
    case "http":
    case "https":
      return httpCredentials(git, remote, environment, access, host);
  }
}

function sshCredentials(
  environment: Readonly<Record<string, string>>,
  access: RemoteAccess,
  host: HostAccess | null,
): Credentials {
  const agent = access.variable("SSH_AUTH_SOCK");
  // Strict and without questions, whatever the person's own settings say; the rest of those settings holds.
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "UpdateHostKeys=no",
    "ConnectTimeout=15",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "ControlMaster=no",
    "ControlPath=none",
    ...(host?.knownHosts == null ? [] : [`UserKnownHostsFile="${host.knownHosts}"`]),
    ...(host?.sshKey == null ? [] : ["IdentitiesOnly=yes"]),
  ];
  const program = access.variable("GIT_SSH_COMMAND") ?? "ssh";
  const words = [
    program,
    ...options.map((option) => `-o ${shellWord(option)}`),
    ...(host?.sshKey == null ? [] : ["-i", shellWord(host.sshKey)]),
  ];
  return {
    kind: host?.sshKey != null ? "ssh key" : agent === undefined || agent === "" ? "ssh settings" : "ssh agent",
    config: [],
    environment: {
      ...environment,
      GIT_SSH_COMMAND: words.join(" "),
      ...(agent === undefined || agent === "" ? {} : { SSH_AUTH_SOCK: agent }),
    },
    secrets: [],
  };
}

async function httpCredentials(
  git: Git,
  remote: Remote,
  environment: Readonly<Record<string, string>>,
  access: RemoteAccess,
  host: HostAccess | null,
): Promise<Credentials> {
  const own = await personsSettings(git, access);
  const transport = own.filter(([key]) => key.startsWith("http."));
  const headers = transport.flatMap(([key, value]) =>
    key.endsWith("extraheader") ? [value.split(" ").at(-1) ?? value] : [],
  );
  const token = tokenOf(remote, access, host);
  if (token !== null) {
    if (remote.scheme === "http" && !LOOPBACK.has(remote.host))
      throw new Failure("remote/auth-refused", `the token for ${remote.host} is not sent over plain http`, {
        next: "Use the https url of this repository.",
      });
    const address = `${remote.scheme}://${remote.host}${remote.port === null ? "" : `:${remote.port}`}`;
    const username = host?.username ?? USERNAME;
    return {
      kind: token.kind,
      config: [...transport, [`credential.${address}.helper`, HELPER]],
      environment: { ...environment, AGENTOS_GIT_USERNAME: username, AGENTOS_GIT_PASSWORD: token.secret },
      secrets: [token.secret, `${username}:${token.secret}`, ...headers],
    };
  }
  const helpers = own.filter(([key]) => key.startsWith("credential."));
  return {
    kind: hasNetrc(access.home, remote.host)
      ? "netrc"
      : helpers.some(([key, value]) => key.endsWith(".helper") && value !== "")
        ? "credential helper"
        : "none found",
    config: [...transport, ...helpers],
    environment,
    secrets: headers,
  };
}

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);
const TOKEN_BYTES_MAX = 8_192;

function tokenOf(
  remote: Remote,
  { variable }: RemoteAccess,
  host: HostAccess | null,
): { readonly kind: CredentialKind; readonly secret: string } | null {
  if (host?.tokenEnv != null) {
    const secret = variable(host.tokenEnv)?.trim();
    if (secret === undefined || secret === "")
      throw new Failure("remote/auth-needed", `the daemon's environment has no ${host.tokenEnv} for ${remote.host}`, {
        next: `Start the daemon where it is set: export ${host.tokenEnv}=…; agentos daemon stop; agentos daemon start`,
      });
    return { kind: "token from the environment", secret: oneLine(secret, host.tokenEnv) };
  }
  if (host?.tokenFile != null) {
    const stats = statSync(host.tokenFile, { throwIfNoEntry: false });
    if (!stats?.isFile() || stats.size > TOKEN_BYTES_MAX)
      throw new Failure("remote/auth-needed", `${host.tokenFile}, the token for ${remote.host}, is no small file`);
    if ((stats.mode & 0o077) !== 0 || stats.uid !== process.getuid?.())
      throw new Failure("remote/auth-needed", `others can read ${host.tokenFile}, the token for ${remote.host}`, {
        next: `chmod 600 ${host.tokenFile}`,
      });
    const secret = readFileSync(host.tokenFile, "utf8").trim();
    if (secret === "") throw new Failure("remote/auth-needed", `${host.tokenFile} is empty`);
    return { kind: "token from a file", secret: oneLine(secret, host.tokenFile) };
  }
  return null;
}

/** What the helper says is lines. */
function oneLine(secret: string, from: string): string {
  if (/[\r\n\0]/.test(secret)) throw new Failure("remote/auth-needed", `the token in ${from} is more than one line`);
  return secret;
}

/** How the person's own git reaches hosts: helpers, proxies, certificates. Everything else of their settings has no say. */
async function personsSettings(git: Git, access: RemoteAccess): Promise<(readonly [string, string])[]> {
  const found: (readonly [string, string])[] = [];
  for (const [scope, variable, file] of [
    ["--system", "GIT_CONFIG_SYSTEM", access.variable("GIT_CONFIG_SYSTEM") ?? "/etc/gitconfig"] as const,
    ...globalFiles(access).map((file) => ["--global", "GIT_CONFIG_GLOBAL", file] as const),
  ]) {
    const answer = await git.run(["config", scope, "--includes", "-z", "--list"], {
      gitDir: null,
      environment: { HOME: access.home, GIT_CONFIG_NOSYSTEM: "0", [variable]: file },
      answers: [1, 128],
      timeoutMs: 10_000,
    });
    if (answer.code !== 0) continue;
    for (const record of answer.stdout.toString("utf8").split("\0")) {
      const newline = record.indexOf("\n");
      const key = newline < 0 ? record : record.slice(0, newline);
      if (/^(credential|http)\./.test(key)) found.push([key, newline < 0 ? "true" : record.slice(newline + 1)]);
    }
  }
  return found;
}

/** Both of a person's own files, the one that counts more last: `git config --global` reads only one of them. */
function globalFiles({ home, variable }: RemoteAccess): readonly string[] {
  const named = variable("GIT_CONFIG_GLOBAL");
  return named === undefined
    ? [`${variable("XDG_CONFIG_HOME") || `${home}/.config`}/git/config`, `${home}/.gitconfig`]
    : [named];
}

/** Libcurl reads it by itself; here only whether there is an entry, to say so. */
const hasNetrc = (home: string, host: string): boolean =>
  (readSmall(`${home}/.netrc`) ?? "").split(/\s+/).some((word, at, all) => word === host && all[at - 1] === "machine");
