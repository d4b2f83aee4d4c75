import { PROBLEMS } from "../../src/contract/problems.ts";
import type { Context, Settings } from "../../src/interfaces/cli/context.ts";
import { output } from "../../src/interfaces/cli/output.ts";
import { readWords } from "../../src/interfaces/cli/program.ts";
import type { Client } from "../../src/interfaces/client/client.ts";
import { problemOf } from "../../src/interfaces/client/trouble.ts";

/*
 * One command line on its way through the words, the command and the output, as a person sees it. Only the daemon is another: it answers what
 * the test says, and what it was asked is kept. What a test does not give, a command cannot touch.
 */

export interface Around extends Partial<Omit<Context, "api" | "settings" | "prompt" | "stdin" | "out">> {
  readonly api?: Partial<Client>;
  readonly settings?: Partial<Settings>;
  /** What the person at the terminal says to a question; without it there is no terminal. */
  readonly says?: { readonly yes?: boolean; readonly secret?: string | null };
  readonly pipedIn?: string;
}

export interface Said {
  readonly exit: number;
  /** Lines on stdout and on stderr. */
  readonly out: readonly string[];
  readonly talk: readonly string[];
  /** Each call of the API: its name, and what it was given. */
  readonly asked: readonly (readonly unknown[])[];
  /** What the person was asked. */
  readonly questions: readonly string[];
}

/** `words` as they follow `agentos`; a string is split at its blanks. */
export async function type(words: string | readonly string[], around: Around = {}): Promise<Said> {
  const { api = {}, settings, says, pipedIn, ...rest } = around;
  const typed = await readWords(typeof words === "string" ? words.split(" ") : words, 100);
  if (typed.kind !== "command") throw new Error(`${words} is no command`);
  const asked: (readonly unknown[])[] = [];
  const questions: string[] = [];
  let stdout = "";
  let stderr = "";
  const telling = output(
    {
      stdout: (text) => {
        stdout += typeof text === "string" ? text : Buffer.from(text).toString();
      },
      stderr: (text) => {
        stderr += text;
      },
    },
    typed.flags,
  );
  const question = <T>(text: string, answer: T): T => {
    questions.push(text);
    return answer;
  };
  const context = {
    person: "ada",
    workingDirectory: "/here",
    signal: new AbortController().signal,
    stdoutIsTerminal: true,
    ...rest,
    settings: { home: "/home/ada/.agentos", runMode: null, toolPath: [], ...settings },
    stdin: async () => pipedIn ?? "",
    prompt:
      says === undefined
        ? null
        : {
            confirm: async (text: string) => question(text, says.yes ?? false),
            secret: async (text: string) => question(text, says.secret ?? null),
          },
    api: new Proxy(api, {
      get: (given, name: keyof Client) => {
        const answer = given[name] as ((...what: unknown[]) => unknown) | undefined;
        return (...what: unknown[]) => {
          if (answer === undefined) throw new Error(`nothing was said about what ${name} answers`);
          asked.push([name, ...what]);
          return answer(...what);
        };
      },
    }),
    out: telling.out,
  } as unknown as Context;
  const exit = await typed.definition.run(typed.definition.args.parse(typed.given) as never, context).then(
    (code) => {
      telling.done();
      return code ?? 0;
    },
    (error: unknown) => {
      const problem = problemOf(error);
      if (problem === null) throw error;
      telling.failed(problem);
      return PROBLEMS[problem.code].exit;
    },
  );
  return { exit, out: linesOf(stdout), talk: linesOf(stderr), asked, questions };
}

const linesOf = (text: string): readonly string[] => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));
