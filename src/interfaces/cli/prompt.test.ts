import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { terminalPrompt } from "./prompt.ts";

function asked() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let screen = "";
  output.on("data", (part) => {
    screen += part;
  });
  const interrupted = new AbortController();
  return {
    prompt: terminalPrompt(input, output, interrupted.signal),
    /** Pressed once the question stands there. */
    presses: (keys: string) => void setImmediate(() => input.write(keys)),
    ends: () => void setImmediate(() => input.end()),
    interrupts: () => void setImmediate(() => interrupted.abort()),
    screen: () => screen,
  };
}

describe("a question", () => {
  test.each([
    ["y\n", true],
    [" YES \n", true],
    ["\n", false],
    ["n\n", false],
    ["yes, but\n", false],
  ])("answered with %j is %j", async (keys, yes) => {
    const { prompt, presses, screen } = asked();
    presses(keys);
    expect(await prompt.confirm("Delete \u001b[2J it?")).toBe(yes);
    expect(screen()).toContain("Delete \\u{1b}[2J it? [y/N] ");
  });

  test("at the end of input is a no", async () => {
    const { prompt, ends } = asked();
    ends();
    expect(await prompt.confirm("Delete it?")).toBe(false);
  });
});

describe("a secret", () => {
  test("is what was typed, and is not shown", async () => {
    const { prompt, presses, screen } = asked();
    presses("sk-12345\r");
    expect(await prompt.secret("The key?")).toBe("sk-12345");
    expect(screen()).toContain("The key?");
    expect(screen()).not.toContain("sk-");
  });

  test.each([
    ["nothing is typed", "\r"],
    ["the person leaves", "\u0003"],
  ])("is none where %s", async (_, keys) => {
    const { prompt, presses } = asked();
    presses(keys);
    expect(await prompt.secret("The key?")).toBeNull();
  });

  test("is none where the person interrupts", async () => {
    const { prompt, interrupts } = asked();
    interrupts();
    expect(await prompt.secret("The key?")).toBeNull();
  });
});
