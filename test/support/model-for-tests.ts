import { afterAll } from "vitest";
import { type ModelServer, type ModelServerWanted, serveModel } from "./model-server.ts";

const servers: ModelServer[] = [];
afterAll(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** A model provider in the test's process; it is closed with the test file at the latest. */
export async function startModelServer(wanted: ModelServerWanted): Promise<ModelServer> {
  const server = await serveModel(wanted);
  servers.push(server);
  return server;
}
