import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { connect } from "../../src/interfaces/client/client.ts";
import { startModelServer } from "../support/model-for-tests.ts";
import { neverEnds } from "../support/scripted-model.ts";
import { hasTerminal, person, type Running } from "./cli-person.ts";

/** What a command is as a process: whom it starts, what it is piped, how it is interrupted. One person, beside a daemon in the foreground. */

const ada = person();
let serving: Running;
let url: string;
beforeAll(async () => {
  serving = ada.begin(["server"]);
  await serving.sees(`the daemon of ${ada.home} runs here until it is interrupted`);
  url = await vi.waitFor(() => JSON.parse(readFileSync(join(ada.home, "daemon.json"), "utf8")).url, {
    timeout: 30_000,
  });
});
afterAll(() => ada.leave());

test("a daemon in the foreground is the only one of its data", async () => {
  expect(await ada.agentos("server")).toEqual({
    code: 73,
    stdout: "",
    stderr: `agentos: a daemon is running on ${ada.home} already: ${url} (pid ${serving.child.pid})\nnext: Use it, or stop it first: agentos daemon stop\n`,
  });
});

test("the page is opened in the browser where there is one, and its address is told anyway", async () => {
  const opened = join(ada.home, "..", "opened");
  const programs = join(ada.home, "..", "programs");
  mkdirSync(programs);
  const onDisplay = ada.with({ DISPLAY: ":9", PATH: programs });
  expect(await onDisplay.agentos("--web")).toEqual({
    code: 0,
    stdout: `${url}\n`,
    stderr: "open the address in a browser\n",
  });
  const opener = ada.write("opener", `#!/bin/sh\nprintf %s "$1" > '${opened}'\n`);
  chmodSync(opener, 0o755);
  for (const name of ["xdg-open", "open"]) symlinkSync(opener, join(programs, name));
  expect(await onDisplay.agentos("--web")).toEqual({
    code: 0,
    stdout: `${url}\n`,
    stderr: "opened in your browser; the daemon runs on until agentos daemon stop\n",
  });
  await expect.poll(() => existsSync(opened) && readFileSync(opened, "utf8")).toBe(url);
});

test("an answer of a chat that a person interrupts ends with 130, and the model is no longer asked", async () => {
  const model = await startModelServer({ answer: () => neverEnds() });
  const api = connect(async () => url);
  await api.addProvider({ id: "box", kind: "openai-compatible", base_url: `${model.url}/v1` });
  await api.setModelPolicy({ any: { use: [{ provider: "box", model: "scripted" }] } });
  const chat = ada.begin(["chat", "How many wait?"]);
  await model.seen(1);
  chat.child.kill("SIGINT");
  expect(await chat.said).toMatchObject({ code: 130, stdout: "" });
  await model.idle();
});

test.skipIf(!hasTerminal)(
  "a key is piped in, too much is no key, and what cannot be written is no success",
  async () => {
    const shell = ada.onTerminal(`
    printf %s sk-12345 | agentos provider key box
    head -c 70000 /dev/zero | tr '\\0' x | agentos provider key box; echo "exit $?"
    agentos --help >/dev/full; echo "exit $?"`);
    await shell.sees("the key of box is stored in ");
    await shell.sees("agentos: more than 65536 characters were piped in");
    await shell.sees("exit 2");
    await shell.sees("ENOSPC");
    await shell.sees(/exit [1-9]/);
    await shell.ended;
  },
);

test("the daemon in the foreground ends in good order when it is interrupted", async () => {
  serving.child.kill("SIGINT");
  expect((await serving.said).code).toBe(0);
  expect(existsSync(join(ada.home, "daemon.json"))).toBe(false);
});
