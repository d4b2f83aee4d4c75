const OWN_PORT = "11434";
const PORTS: Readonly<Record<string, string>> = { http: "80", https: "443" };

/**
 * Where a client connects to for a value of OLLAMA_HOST, by Ollama's own rules: quotes and spaces around it do not count; a scheme in
 * front brings that scheme's port, and only without one the port is Ollama's own; a port that is none is the usual one; a path is kept.
 * A server told to listen on every address is reached at the loopback one.
 */
export function ollamaUrl(variable: string | undefined): string {
  const said = (variable ?? "").replace(/^[\s"']+|[\s"']+$/g, "");
  const [, scheme = "http", rest = ""] = /^(?:(\w+):\/\/)?(.*)$/s.exec(said) ?? [];
  const usualPort = said.includes("://") ? (PORTS[scheme] ?? OWN_PORT) : OWN_PORT;
  const slash = rest.indexOf("/");
  const hostPort = slash === -1 ? rest : rest.slice(0, slash);
  const path = slash === -1 ? "" : rest.slice(slash).replace(/\/+$/, "");
  const { host, port } = split(hostPort);
  return `${scheme}://${reachable(host)}:${port !== null && isPort(port) ? Number(port) : usualPort}${path}`;
}

function split(hostPort: string): { readonly host: string; readonly port: string | null } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(hostPort);
  if (bracketed !== null) return { host: bracketed[1] ?? "", port: bracketed[2] ?? null };
  const colons = hostPort.split(":").length - 1;
  if (colons !== 1) return { host: hostPort, port: null };
  return { host: hostPort.slice(0, hostPort.indexOf(":")), port: hostPort.slice(hostPort.indexOf(":") + 1) };
}

const isPort = (port: string): boolean => /^\d{1,5}$/.test(port) && Number(port) <= 65_535;

function reachable(host: string): string {
  if (host === "" || host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
