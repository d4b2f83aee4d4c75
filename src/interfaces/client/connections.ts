import { Agent } from "node:http";

/** A command asks more than once, and a connection takes as long as many an answer. One that nobody uses keeps no process alive. */
export const CONNECTIONS = new Agent({ keepAlive: true });
