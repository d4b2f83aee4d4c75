// Runs inside the sandbox, as the confined user: `node bridge.mjs PORT SOCKET PROGRAM [ARGUMENT…]`.
// The network namespace in there has nothing but its own loopback. HTTP clients want a proxy with a host and a port,
// and the egress proxy is a unix socket; this carries bytes between the two and otherwise stands for PROGRAM.
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { constants } from "node:os";

const [port, socket, program, ...words] = process.argv.slice(2);

const server = createServer({ allowHalfOpen: true }, (client) => {
  const proxy = connect({ path: socket, allowHalfOpen: true });
  client.on("error", () => proxy.destroy());
  proxy.on("error", () => client.destroy());
  // Not destroy: the last bytes may still be on their way to the other side.
  client.on("close", () => proxy.destroySoon());
  proxy.on("close", () => client.destroySoon());
  client.pipe(proxy);
  proxy.pipe(client);
});

server.on("error", (error) => {
  process.stderr.write(`agentos: the way to the egress proxy could not be opened: ${error.message}\n`);
  process.exit(126);
});

server.listen(Number(port), "127.0.0.1", () => {
  const child = spawn(program, words, { stdio: "inherit" });
  child.on("error", (error) => {
    process.stderr.write(`agentos: ${program} could not be started: ${error.message}\n`);
    process.exit(error.code === "ENOENT" ? 127 : 126);
  });
  child.on("exit", (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]));
});
