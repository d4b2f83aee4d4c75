import { PassThrough } from "node:stream";
import type { EventView } from "../../src/contract/views.ts";
import type { Context } from "../../src/interfaces/cli/context.ts";
import { output, type Shape } from "../../src/interfaces/cli/output.ts";
import type { Client } from "../../src/interfaces/client/client.ts";

/*
 * A command of the CLI with a daemon that answers as a test says. What is told is written by the real `output`; whatever a test does not
 * say is not there, so that a command which asks for it fails.
 */

export type FakeClient = { readonly [Name in keyof Client]?: Client[Name] };

export interface CliWanted extends Partial<Omit<Context, "api" | "out">> {
  readonly shape?: Partial<Shape>;
}

export interface GivenCli {
  readonly context: Context;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

export function givenCli(api: FakeClient, { shape, ...more }: CliWanted = {}): GivenCli {
  let stdout = "";
  let stderr = "";
  const { out } = output(
    {
      stdout: (text) => (stdout += typeof text === "string" ? text : new TextDecoder().decode(text)),
      stderr: (text) => (stderr += text),
    },
    { json: false, quiet: false, ...shape },
  );
  const context: Partial<Context> = {
    version: "1.2.3",
    prompt: null,
    signal: new AbortController().signal,
    workingDirectory: "/",
    person: "ada",
    stdoutIsTerminal: false,
    ...more,
    api: api as Client,
    out,
  };
  return { context: context as Context, stdout: () => stdout, stderr: () => stderr };
}

/** A prompt that answers each question as told, and remembers what it was asked. */
export function confirming(...answers: readonly boolean[]) {
  const asked: string[] = [];
  return {
    asked,
    on: { input: new PassThrough(), output: new PassThrough() },
    confirm: async (question: string) => {
      asked.push(question);
      return answers[asked.length - 1] ?? false;
    },
    secret: async () => null,
  };
}

/** Events as they come in, and then nothing more. */
export const following = (...events: readonly EventView[]): Client["followTask"] =>
  async function* () {
    for (const event of events) yield { cursor: event.seq, event };
  };

/** Calls that change something, each answered as told, and what they were given in their order. */
export function recorded() {
  const calls: unknown[] = [];
  const answers =
    <T>(name: string, answer: T) =>
    async (...given: readonly unknown[]): Promise<T> => {
      calls.push([name, ...given]);
      return answer;
    };
  return { calls, answers };
}
