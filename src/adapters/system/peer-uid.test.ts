import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { peerUid, uidIn } from "./peer-uid.ts";

const HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
const row = (own: string, other: string, uid: number, inode: number): string =>
  `   0: ${own} ${other} 01 00000000:00000000 00:00000000 00000000  ${uid}        0 ${inode} 1 0000000000000000 20 4 30 10 -1`;
const table = (...rows: readonly string[]): string => `${[HEAD, ...rows].join("\n")}\n`;
const four = { localAddress: "127.0.0.1", localPort: 8000, remoteAddress: "127.0.0.1", remotePort: 40_000 };
const six = { localAddress: "::1", localPort: 8000, remoteAddress: "::1", remotePort: 40_000 };
const ONE = "00000000000000000000000001000000";
const MAPPED = "0000000000000000FFFF00000100007F";

describe("the uid of a connection's other end", () => {
  it("is that of the row whose own end it is, not that of the daemon's row", () =>
    expect(
      uidIn(table(row("0100007F:1F40", "0100007F:9C40", 0, 7), row("0100007F:9C40", "0100007F:1F40", 1001, 8)), four),
    ).toBe(1001));

  it("is found for IPv6, and for IPv4 by a program that speaks IPv6", () =>
    expect([
      uidIn(table(row(`${ONE}:9C40`, `${ONE}:1F40`, 1001, 8)), six),
      uidIn(table(row(`${MAPPED}:9C40`, `${MAPPED}:1F40`, 1002, 8)), four),
    ]).toEqual([1001, 1002]));

  it("is not said of a socket that nobody holds any more: the kernel shows that as root's", () =>
    expect(uidIn(table(row("0100007F:9C40", "0100007F:1F40", 0, 0)), four)).toBe(null));

  it("is not that of another port or address", () =>
    expect(
      uidIn(table(row("0100007F:9C41", "0100007F:1F40", 1, 8), row("0200007F:9C40", "0100007F:1F40", 1, 8)), four),
    ).toBe(null));

  it.skipIf(process.platform !== "linux")("is this user's for a connection of this process (needs Linux)", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [accepted] = (await once(server, "connection")) as [Socket];
    try {
      expect(await peerUid(accepted)).toEqual({ uid: process.getuid?.() });
      const ends = {
        localAddress: accepted.localAddress,
        localPort: accepted.localPort,
        remoteAddress: accepted.remoteAddress,
        remotePort: accepted.remotePort,
      };
      client.destroy();
      accepted.destroy();
      await once(accepted, "close");
      expect(await peerUid(ends)).toBe("unknown");
    } finally {
      server.close();
    }
  });
});
