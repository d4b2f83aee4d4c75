import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A child that runs one mode of `store-child.ts`. */
export interface StoreChild {
  readonly pid: number;
  /** The next line it says, parsed; null when it ended instead. */
  said(): Promise<unknown>;
  /** Everything it said and nobody asked for, after it ended. */
  rest(): Promise<readonly unknown[]>;
  /** Ends its stdin, which makes it give back what it holds, and waits for its end. */
  letGo(): Promise<void>;
  kill(): Promise<void>;
}

export function storeChild(mode: "hold" | "lock" | "append", home: string): StoreChild {
  const child: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(new URL("./store-child.ts", import.meta.url)), mode, home],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const { stdout, stdin, pid } = child;
  if (stdout === null || stdin === null || pid === undefined) throw new Error("the child did not start");
  const ended = once(child, "exit");
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const said = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    return done === true ? null : JSON.parse(String(value));
  };
  return {
    pid,
    said,
    async rest() {
      const all: unknown[] = [];
      for (let one = await said(); one !== null; one = await said()) all.push(one);
      return all;
    },
    async letGo() {
      stdin.end();
      await ended;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
