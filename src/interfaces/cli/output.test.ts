import { describe, expect, test } from "vitest";
import { trouble } from "../client/trouble.ts";
import { output, type Shape } from "./output.ts";

const TITLE = "a\u001b[2J\nb";

function told(shape: Shape, act: (telling: ReturnType<typeof output>) => void) {
  let stdout = "";
  let stderr = "";
  act(output({ stdout: (text) => (stdout += text), stderr: (text) => (stderr += text) }, shape));
  return { stdout, stderr };
}

const command = ({ out, done }: ReturnType<typeof output>) => {
  out.result(
    { id: "1", title: TITLE },
    ({ title }) => [`title: ${title}`],
    ({ id }) => [id],
  );
  out.note(`about ${TITLE}`);
  done();
};

describe("a result and a remark", () => {
  test("are lines on stdout and stderr, and nothing in them commands the terminal", () =>
    expect(told({ json: false, quiet: false }, command)).toEqual({
      stdout: "title: a\\u{1b}[2J⏎b\n",
      stderr: "about a\\u{1b}[2J⏎b\n",
    }));

  test("are the ids alone with --quiet", () =>
    expect(told({ json: false, quiet: true }, command)).toEqual({ stdout: "1\n", stderr: "" }));

  test("are exactly one envelope with --json", () => {
    const { stdout } = told({ json: true, quiet: false }, command);
    expect(stdout.endsWith("}\n")).toBe(true);
    expect(stdout.split("\n")).toHaveLength(2);
    expect(JSON.parse(stdout)).toEqual({ agentos: 1, ok: true, data: { id: "1", title: TITLE } });
  });
});

describe("a problem", () => {
  const { problem } = trouble("task/refused", `no: ${TITLE}`, { next: "look" });

  test("is a sentence and a next step on stderr, also with --quiet", () =>
    expect(told({ json: false, quiet: true }, ({ failed }) => failed(problem))).toEqual({
      stdout: "",
      stderr: "agentos: no: a\\u{1b}[2J⏎b\nnext: look\n",
    }));

  test("keeps what was found before it in the envelope", () => {
    const { stdout, stderr } = told({ json: true, quiet: false }, ({ out, failed }) => {
      out.result([1], () => ["1"]);
      failed(problem);
    });
    expect(JSON.parse(stdout)).toEqual({ agentos: 1, ok: false, problem, data: [1] });
    expect(stderr).toBe("");
  });
});

describe("bytes that a person asked to have as they are", () => {
  const bytes = new TextEncoder().encode("a\u001b[2J");
  const written = (json: boolean) => {
    const parts: (string | Uint8Array)[] = [];
    const { out } = output({ stdout: (part) => parts.push(part), stderr: () => {} }, { json, quiet: false });
    out.bytes(bytes);
    return parts;
  };

  test("are written unchanged, and left out of an envelope", () => {
    expect([written(false), written(true)]).toEqual([[bytes], []]);
  });
});
