/** An exact host and port; never an address literal, never a pattern. */
export interface EgressTarget {
  readonly host: string;
  readonly port: number;
}

export interface EgressRecord {
  readonly host: string;
  readonly port: number;
  readonly verdict: "allowed" | "denied" | "failed";
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Why, in one sentence, when it was denied or failed. */
  readonly reason: string | null;
}

export interface EgressDoor {
  /** Host path of the unix socket to bind into the sandbox. */
  readonly socket: string;
  /** Closes the door, ends what is open, removes the socket; the records of every connection tried. */
  close(): Promise<readonly EgressRecord[]>;
}

/**
 * Contract: a door is an HTTP proxy (CONNECT and absolute-form requests) on a unix socket of its own. It opens exactly
 * the named targets; an empty list opens nothing; address literals, other ports and names that resolve to loopback,
 * link-local or private addresses are denied unless the target is one that `allowPrivate` names exactly.
 */
export interface Egress {
  open(
    socketPath: string,
    targets: readonly EgressTarget[],
    allowPrivate: readonly EgressTarget[],
  ): Promise<EgressDoor>;
}
