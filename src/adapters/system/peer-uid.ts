import { readFile } from "node:fs/promises";

/** Both ends of a TCP connection as the listening side sees them. */
export interface Connection {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** What of the kernel's socket table is known of the other end: whose it is, that it cannot be said, or that this system has no such table. */
export type PeerOwner = { readonly uid: number } | "unknown" | "no-table";

/** The kernel walks its table while it is read, and a row may be passed over when another one comes or goes: then once more. */
const LOOKS = 3;

/**
 * Whose process holds the other end of a connection within this machine. The kernel says it: both ends stand in the network namespace's
 * socket table, each with the uid that made it. `unknown` when the other end is not there or has been given up already: a socket that
 * nobody holds any more is shown with uid 0, and that is not root's.
 */
export async function peerUid(connection: Connection): Promise<PeerOwner> {
  if (process.platform !== "linux") return "no-table";
  for (let look = 0; look < LOOKS; look += 1)
    for (const read of TABLES) {
      const uid = uidIn(await read(), connection);
      if (uid !== null) return { uid };
    }
  return "unknown";
}

/**
 * A look at a table that begins after it was asked for. It takes milliseconds, because the kernel walks all of its table: who asks while
 * one is under way shares the next one.
 */
function looker(path: string): () => Promise<string> {
  let underWay: Promise<string> | null = null;
  let next: Promise<string> | null = null;
  const begin = (): Promise<string> => {
    const look = textOf(path).finally(() => {
      if (underWay === look) underWay = null;
    });
    underWay = look;
    return look;
  };
  return () => {
    if (underWay === null) return begin();
    next ??= underWay.then(ignored, ignored).then(() => {
      next = null;
      return begin();
    });
    return next;
  };
}

/** How the look before ended is told to those who asked for it. */
const ignored = (): void => undefined;

/** Without IPv6 there is no second table, and without /proc none at all. */
const textOf = (path: string): Promise<string> =>
  readFile(path, "latin1").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  });

const TABLES = [looker("/proc/net/tcp"), looker("/proc/net/tcp6")];

/** The uid of the row whose own end is the connection's remote one, in the text of one table; null when there is none. */
export function uidIn(table: string, connection: Connection): number | null {
  const { localAddress, localPort, remoteAddress, remotePort } = connection;
  if (localAddress === undefined || remoteAddress === undefined) return null;
  const wanted = `${hexOf(remoteAddress, remotePort)} ${hexOf(localAddress, localPort)}`;
  for (const line of table.split("\n")) {
    const [, own = "", other = "", , , , , uid, , inode] = line.trim().split(/\s+/);
    // Inode 0: nobody holds that socket any more, and whose it was is not said.
    if (inode !== undefined && inode !== "0" && `${plain(own)} ${plain(other)}` === wanted) return Number(uid);
  }
  return null;
}

/** `0100007F:1F40` for 127.0.0.1:8000: each 32-bit word of the address as this machine's memory holds it, little end first. */
function hexOf(address: string, port: number | undefined): string {
  const four = /^(?:::ffff:)?(\d+)\.(\d+)\.(\d+)\.(\d+)$/i.exec(address);
  const words = four === null ? (address === "::1" ? LOOPBACK_SIX : "") : hexBytes(four.slice(1).map(Number).reverse());
  return `${words}:${(port ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

const hexBytes = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("");

const LOOPBACK_SIX = "00000000000000000000000001000000";
const MAPPED_FOUR = "0000000000000000FFFF0000";

/** An IPv4 address that a program reached through IPv6 is the same address. */
const plain = (end: string): string => (end.startsWith(MAPPED_FOUR) ? end.slice(MAPPED_FOUR.length) : end);
