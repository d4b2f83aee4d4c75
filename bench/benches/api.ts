import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { type Bench, ratio, rounds } from "../bench.ts";
import { startDaemonChild } from "../daemon.ts";

const SIZES = { usual: { rounds: 5, requests: 2_000 }, tiny: { rounds: 1, requests: 20 } } as const;
const CONNECTIONS = 16;

/** Requests a second over kept connections, beside a server of `node:http` that answers the same bytes and does nothing. */
export const api: Bench = {
  name: "api",
  about: `requests a second over ${CONNECTIONS} kept connections, beside a bare node:http server`,
  async run(size, place) {
    const { rounds: count, requests } = SIZES[size];
    const home = join(place.directory("home"), "data");
    mkdirSync(home, { mode: 0o700 });
    const daemon = await startDaemonChild(home);
    const bare = fork(join(import.meta.dirname, "..", "bare-server.ts"), {
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    const gone = once(bare, "exit");
    try {
      const [port] = (await once(bare, "message")) as [number];
      const perSecond = { bare: [] as number[], health: [] as number[], list: [] as number[] };
      for (const _ of rounds(count)) {
        perSecond.bare.push(await asked(`http://127.0.0.1:${port}/`, requests));
        perSecond.health.push(await asked(`${daemon.url}/api/health`, requests));
        perSecond.list.push(await asked(`${daemon.url}/api/tasks`, requests));
      }
      return {
        figures: [
          { name: "bare node:http", unit: "/s", values: perSecond.bare },
          { name: "GET /api/health", unit: "/s", values: perSecond.health },
          { name: "GET /api/tasks", unit: "/s", values: perSecond.list },
        ],
        ratios: [ratio("GET /api/tasks / bare node:http", perSecond.list, perSecond.bare)],
      };
    } finally {
      bare.kill();
      await gone;
      await daemon.stop();
    }
  },
};

async function asked(url: string, requests: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let left = requests;
  const begun = performance.now();
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await answer(url, agent);
    }
  };
  await Promise.all(rounds(CONNECTIONS).map(client));
  agent.destroy();
  return (requests / (performance.now() - begun)) * 1_000;
}

const answer = (url: string, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    request(url, { agent }, (message) => {
      if (message.statusCode !== 200) reject(new Error(`${url} answered ${message.statusCode}`));
      message.resume().once("end", resolve);
    })
      .once("error", reject)
      .end();
  });
