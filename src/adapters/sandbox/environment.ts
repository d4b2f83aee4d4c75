import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import type { SandboxCommand } from "../../ports/sandbox.ts";

export const HOME = "/home/agent";
export const BRIDGE_PORT = 39_128;

/** What a confined command finds in its environment: built from nothing, the caller's additions last. */
export const variablesFor = (
  command: SandboxCommand,
  path: readonly string[],
  toolchainVariables: Readonly<Record<string, string>>,
  hostEnvironment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> => ({
  HOME,
  LANG: "C.UTF-8",
  LOGNAME: "agent",
  PATH: path.join(":"),
  TERM: "dumb",
  TMPDIR: "/tmp",
  USER: "agent",
  ...(hostEnvironment["TZ"] ? { TZ: hostEnvironment["TZ"] } : {}),
  ...certificates(hostEnvironment),
  ...toolchainVariables,
  ...command.environment,
  ...(command.egressSocket === null ? {} : { ...PROXY, ...pastTheProxy(command.environment) }),
});

/** What a command talks with in its own sandbox, whose loopback is nobody else's: past the proxy there is nothing else to be reached. */
const pastTheProxy = ({ NO_PROXY }: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  NO_PROXY === undefined ? {} : { NO_PROXY, no_proxy: NO_PROXY };

/** The host's own certificate authorities, where they lie in a place that the sandbox shows. */
const certificates = (host: Readonly<Record<string, string | undefined>>): Record<string, string> => {
  const found: Record<string, string> = {};
  for (const name of ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]) {
    const path = host[name];
    if (path !== undefined && /^\/(?:etc\/ssl|usr\/share)\//.test(path) && !path.includes("/../")) found[name] = path;
  }
  return found;
};

const ADDRESS = `http://127.0.0.1:${BRIDGE_PORT}`;

/** Lower and upper case, because clients disagree; NO_PROXY empty, because a full one would lead past the proxy. */
const PROXY: Readonly<Record<string, string>> = {
  HTTP_PROXY: ADDRESS,
  HTTPS_PROXY: ADDRESS,
  NODE_USE_ENV_PROXY: "1",
  NO_PROXY: "",
  YARN_HTTPS_PROXY: ADDRESS,
  YARN_HTTP_PROXY: ADDRESS,
  http_proxy: ADDRESS,
  https_proxy: ADDRESS,
  no_proxy: "",
  npm_config_https_proxy: ADDRESS,
  npm_config_noproxy: "",
  npm_config_proxy: ADDRESS,
};

/** Hex SHA-256 over what the command could see of its environment, in the canonical form of RFC 8785; no host paths. */
export const environmentDigest = (command: SandboxCommand, variables: Readonly<Record<string, string>>): string => {
  const text = canonicalize({
    cwd: command.cwd,
    limits: command.limits,
    mounts: command.mounts.map(({ inside, access }) => ({ inside, access })).sort(byInside),
    scratches: command.scratches.map(({ inside, bytesMax }) => ({ inside, bytesMax })).sort(byInside),
    variables,
  });
  if (text === undefined) throw new Error("the environment has no canonical form");
  return createHash("sha256").update(text).digest("hex");
};

const byInside = (a: { readonly inside: string }, b: { readonly inside: string }): number =>
  a.inside < b.inside ? -1 : a.inside > b.inside ? 1 : 0;
