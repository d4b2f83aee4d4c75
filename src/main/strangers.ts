import type { Socket } from "node:net";
import { peerUid } from "../adapters/system/peer-uid.ts";

/**
 * Who may ask a daemon that has no login: its own user, whatever program, and root, who could do anything anyway. Anybody else on the
 * machine reaches the port, but is nobody here. The kernel is asked once for each connection: who holds its other end cannot change hands
 * unless the holder gives it away. Where the kernel has no table of sockets (macOS), nobody can be told apart, and everybody on the
 * machine is answered; there nothing is executed either.
 *
 * @param own the daemon's uid; null where there are none
 */
export function strangers(own: number | null): (connection: Socket | null) => Promise<string | null> {
  const known = new WeakMap<Socket, Promise<string | null>>();
  const ask = async (connection: Socket): Promise<string | null> => {
    const peer = await peerUid(connection);
    if (peer === "no-table") return null;
    if (peer === "unknown") return "the system does not say whose program is at the other end of this connection";
    if (peer.uid === own || peer.uid === ROOT) return null;
    return `this program runs as user ${peer.uid}, and this daemon belongs to user ${own}`;
  };
  return async (connection) => {
    if (connection === null) return null;
    const asked = known.get(connection) ?? ask(connection);
    known.set(connection, asked);
    return asked;
  };
}

const ROOT = 0;
