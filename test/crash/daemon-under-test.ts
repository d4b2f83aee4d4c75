import { watch } from "node:fs";
import { flushCompileCache } from "node:module";
import { createInterface } from "node:readline";
import { pino } from "pino";
import { models } from "../../src/adapters/models/models.ts";
import { bubblewrapSandbox } from "../../src/adapters/sandbox/bubblewrap.ts";
import { MODEL_POLICY_STREAM } from "../../src/domain/stream.ts";
import { startDaemon } from "../../src/main/daemon.ts";
import type { Store } from "../../src/ports/store.ts";
import {
  boundaries,
  countedMoves,
  countedSandbox,
  countedStore,
  type DieAt,
  type Meeting,
  writeDown,
} from "./boundaries.ts";
import { placesIn } from "./places.ts";

/*
 * The real daemon as a process of its own, over a store and a sandbox that count the points at which it can be made to die.
 *
 *     node daemon-under-test.ts DIRECTORY [{"count": N} | {"name": "…"}]
 *
 * It says {"ready": url}, {"middle": name} and {"armed": true} on stdout, one JSON per line, and takes {"arm": …},
 * {"release": name}, {"watch": repository} (each change there is a boundary) and {"stop": true} on stdin. The end of stdin is a stop too: nobody would be left to say it.
 */
const [, , directory = "", first] = process.argv;
const places = placesIn(directory);
const say = (line: unknown): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

const points = boundaries((name, count) => writeDown(places.kills, { pid: process.pid, at: name, count }));
if (first !== undefined) points.arm(JSON.parse(first) as DieAt);

const meetings = new Map<string, Meeting>();
const hostSandbox = bubblewrapSandbox({ privateDirectories: [places.home], hostEnvironment: process.env });
const sandbox = countedSandbox(
  // What the machine's sandbox can do is tried once by the test, not at each of some hundred starts.
  {
    ...hostSandbox,
    selfTest: async () => ({ name: "bubblewrap", version: "tried before", checks: [] }),
  },
  points,
  { witness: places.witness, meet: places.meet, mark: directory },
  (meeting) => {
    meetings.set(meeting.name, meeting);
    say({ middle: meeting.name });
  },
);

// Whoever tests a task with a model has one behind this address; it is the model of every phase.
const modelUrl = process.env["AGENTOS_TEST_MODEL_URL"] ?? null;
const useModel = async (store: Store): Promise<void> => {
  if ((await store.latest(MODEL_POLICY_STREAM)) !== null) return;
  const use = [{ provider: "loopback", model: "scripted", parameters: {} }];
  const event = { type: "MODEL_POLICY_SET", body: { policy: { any: { use, budget: {} } } } } as const;
  await store.append({
    stream: MODEL_POLICY_STREAM,
    expected: 0,
    events: [{ actor: { kind: "person", name: "casey" }, atMs: 1, event }],
    blobs: [],
    lease: null,
  });
};

const log = pino({ level: "warn", base: { pid: process.pid } }, pino.destination({ dest: places.log, sync: true }));
const daemon = await startDaemon(
  {
    home: places.home,
    host: "127.0.0.1",
    port: 0,
    toolPath: ["/usr/bin", "/bin"],
    tasksMax: 4,
    startPaused: false,
    retention: { succeededDays: 14, failedDays: 60, canceledDays: 14, layersDays: 30 },
    remotes: {},
    createPerMinute: 100_000,
    createPerHour: 100_000,
    logLevel: "warn",
  },
  log,
  {
    sandbox,
    store: (store) => {
      // How far the journal durably was when this life began: what the death before it could not undo.
      void store.position().then((position) => writeDown(places.lives, { pid: process.pid, position }));
      if (modelUrl !== null) void useModel(store);
      return countedStore(store, points);
    },
    ...(modelUrl !== null && {
      models: models({
        endpoint: async () => ({
          kind: "openai-compatible",
          baseUrl: `${modelUrl}/v1`,
          key: async () => null,
          prices: {},
        }),
      }),
    }),
    workspaces: (workspaces) => countedMoves(workspaces, points),
  },
);
say({ ready: daemon.url });
// Most lives end by SIGKILL, and only an end in good order would keep what was compiled.
flushCompileCache();

const input = createInterface({ input: process.stdin });
input.on("line", (line) => {
  const asked = JSON.parse(line) as {
    readonly arm?: DieAt | null;
    readonly release?: string;
    readonly watch?: string;
    readonly stop?: true;
  };
  if (asked.arm !== undefined) {
    points.arm(asked.arm);
    say({ armed: true });
  }
  if (asked.release !== undefined) meetings.get(asked.release)?.release();
  if (asked.watch !== undefined) {
    watch(asked.watch, { recursive: true }, (_, file) => points.cross(`the repository changed: ${file}`));
    say({ watching: true });
  }
  if (asked.stop === true) void daemon.stop();
});
input.once("close", () => void daemon.stop());
await daemon.stopped;
process.exit(0);
