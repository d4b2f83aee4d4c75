import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/* What this machine's Node can answer at most: the same kind of answer, without anything behind it. Ends with its parent. */
const body = JSON.stringify({ items: [], next: null });
const server = createServer((_, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
});
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
process.once("disconnect", () => process.exit());
