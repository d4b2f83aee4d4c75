import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { PLATFORMS, type PlatformName } from "../../domain/provider-platforms.ts";
import { places } from "./places.ts";

let home = "";
const homes: string[] = [];
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "agentos-places-")));
  homes.push(home);
});
afterAll(() => {
  for (const each of homes) rmSync(each, { recursive: true });
});

const here = (variables: Readonly<Record<string, string>> = {}, platform: PlatformName = "linux") =>
  places(PLATFORMS[platform], { home, variable: (name) => variables[name] }, {});

function file(path: string, text = "", mode = 0o644): string {
  const whole = join(home, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, text);
  chmodSync(whole, mode);
  return whole;
}

describe("model files", () => {
  const found = async (directory = home) =>
    (await here().modelFiles(directory)).map(({ id, ...more }) => ({ ...more, path: id.slice(home.length + 1) }));
  const listed = { where: "disk", loaded: false, tools: null, contextTokensMax: null };

  test("are those below a directory, by name, of one in several parts the first", async () => {
    file("b/second.GGUF", "1234");
    file("a.gguf", "12");
    file("large-00001-of-00003.gguf", "1");
    file("large-00002-of-00003.gguf", "1");
    file("large-00003-of-00003.gguf", "1");
    file("notes.txt");
    file("gguf");
    expect(await found()).toEqual([
      { ...listed, path: "a.gguf", bytes: 2 },
      { ...listed, path: "b/second.GGUF", bytes: 4 },
      { ...listed, path: "large-00001-of-00003.gguf", bytes: 1 },
    ]);
  });

  test("may be links, as in Hugging Face's cache; links to nothing and to directories are none", async () => {
    const blob = file("blobs/5f1a", "12345");
    mkdirSync(join(home, "snapshots"));
    symlinkSync(blob, join(home, "snapshots", "linked.gguf"));
    symlinkSync(join(home, "gone"), join(home, "snapshots", "gone.gguf"));
    symlinkSync(join(home, "blobs"), join(home, "snapshots", "directory.gguf"));
    symlinkSync(join(home, "snapshots"), join(home, "again"));
    expect(await found()).toEqual([{ ...listed, path: "snapshots/linked.gguf", bytes: 5 }]);
  });

  test("are not looked for deeper than five directories, nor in great numbers", async () => {
    file("1/2/3/4/5/deep.gguf");
    file("1/2/3/4/5/6/deeper.gguf");
    expect((await found()).map(({ path }) => path)).toEqual(["1/2/3/4/5/deep.gguf"]);
    for (let at = 0; at < 301; at += 1) file(`many/${at}.gguf`);
    expect(await found(join(home, "many"))).toHaveLength(300);
  });

  test("of a directory that is not there are none", async () =>
    expect(await here().modelFiles(join(home, "gone"))).toEqual([]));
});

describe("LM Studio", () => {
  test.each([
    ["what its server says", { "http-server.json": '{"port": 4321}' }, "http://127.0.0.1:4321"],
    ["what it is set to", { "http-server-config.json": '{"port": 4322}' }, "http://127.0.0.1:4322"],
    [
      "a broken file",
      { "http-server.json": "{", "http-server-config.json": '{"port": 4323}' },
      "http://127.0.0.1:4323",
    ],
    ["a port that is none", { "http-server.json": '{"port": 70000}' }, "http://127.0.0.1:1234"],
    ["a file far too large", { "http-server.json": `{"port": 4324}${" ".repeat(70_000)}` }, "http://127.0.0.1:1234"],
    ["nothing", {}, "http://127.0.0.1:1234"],
  ])("is where it is usual by %s", async (_, files, url) => {
    for (const [name, text] of Object.entries(files)) file(`.lmstudio/.internal/${name}`, text);
    expect(await here().usualUrl("lmstudio")).toBe(url);
  });

  test.each([
    ["in the home that it names", (): string => join(home, "elsewhere"), true],
    ["below ~/.cache, as it was once", (): string => join(home, ".cache", "lm-studio"), false],
    ["in ~/.lmstudio", (): string => join(home, ".lmstudio"), false],
  ])("has its command and its models %s", async (_, at, pointed) => {
    const lmHome = at();
    if (pointed) file(".lmstudio-home-pointer", `${lmHome}\n`);
    const lms = file(`${lmHome.slice(home.length + 1)}/bin/lms`, "#!/bin/sh\n", 0o755);
    expect(await here().program("lmstudio", null)).toEqual({ path: lms, version: null });
    expect(await here().modelsDirectory("lmstudio", null)).toBe(join(lmHome, "models"));
  });

  test("is the application it says, else the newest of those that lie about", async () => {
    expect(await here().app("lmstudio")).toBeNull();
    file("Applications/LM-Studio-0.3.9.AppImage");
    const newest = file("Applications/LM-Studio-0.4.2.AppImage");
    file("Applications/Other.AppImage");
    expect(await here().app("lmstudio")).toBe(newest);
    const said = file("opt/lm-studio");
    file(".lmstudio/.internal/app-install-location.json", JSON.stringify({ path: said }));
    expect(await here().app("lmstudio")).toBe(said);
  });
});

describe("a program", () => {
  test("is looked for along PATH, where a file that may not be run is none", async () => {
    file("first/ollama", "", 0o644);
    mkdirSync(join(home, "second", "ollama"), { recursive: true });
    const third = file("third/ollama", "", 0o755);
    const along = ["first", "second", "third"].map((name) => join(home, name)).join(":");
    expect(await here({ PATH: `relative:${along}` }).program("ollama", null)).toEqual({ path: third, version: null });
    expect(await here({ PATH: along }).program("openai", null)).toBeNull();
  });

  test("that is named without a whole path is refused before it is run", async () =>
    await expect(here().program("ollama", "bin/ollama")).rejects.toMatchObject({
      code: "provider/refused",
      message: "bin/ollama is not an absolute path",
      next: "Name the program itself (ollama), or leave it out to have it looked for.",
    }));
});

test("models are in the directory that is named, else in the first that is there, else where they would be", async () => {
  const variables = { OLLAMA_MODELS: join(home, "set") };
  expect(await here(variables).modelsDirectory("ollama", "/named")).toBe("/named");
  expect(await here(variables).modelsDirectory("ollama", null)).toBe(join(home, "set"));
  mkdirSync(join(home, ".ollama", "models"), { recursive: true });
  expect(await here(variables).modelsDirectory("ollama", null)).toBe(join(home, ".ollama", "models"));
  expect(await here(variables).modelsDirectory("openai", null)).toBeNull();
});

test("logs of a server that AgentOS did not start are where its platform has them", async () => {
  expect(await here().logs("ollama")).toEqual([join(home, ".ollama/logs/server.log")]);
  expect(await here().logs("anthropic")).toEqual([]);
});

test("Windows is looked for under WSL only", async () => expect(await here().windowsHost()).toBeNull());
