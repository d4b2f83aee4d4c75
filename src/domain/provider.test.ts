import { describe, expect, it } from "vitest";
import { ADA, PROVIDER_EXAMPLES } from "../../test/support/given-task.ts";
import type { ProviderEvent, Recorded } from "./event.ts";
import { ollamaUrl } from "./ollama-host.ts";
import { bornProvider, evolveProvider } from "./provider.ts";
import { BASE_URLS, KNOWN_PROVIDERS, knownFacts, LOCAL_KINDS, type ProviderKind } from "./provider-facts.ts";
import { type Beside, type Judged, judge, nextFor, type Signs, standsAs } from "./provider-look.ts";
import { PLATFORM_NAMES, PLATFORMS, pathsOf, platformOf, windowsHost } from "./provider-platforms.ts";
import { type Gathered, judgeProbe, type Tried } from "./provider-probe.ts";

describe("a provider", () => {
  const told = (type: keyof typeof PROVIDER_EXAMPLES): Recorded<ProviderEvent> => ({
    seq: 1,
    atMs: 5,
    actor: ADA,
    event: { type, body: PROVIDER_EXAMPLES[type] } as ProviderEvent,
  });
  const born = bornProvider("llama-2", told("PROVIDER_ADDED"));

  it("is what its events say", () => {
    expect(born).toEqual({
      id: "llama-2",
      facts: PROVIDER_EXAMPLES.PROVIDER_ADDED,
      createdAtMs: 5,
      removed: false,
      status: "unknown",
      detail: null,
      statusAtMs: null,
      started: null,
      probe: null,
    });
    const started = evolveProvider(born, told("PROVIDER_STARTED"));
    expect(started).toMatchObject({ status: "starting", started: PROVIDER_EXAMPLES.PROVIDER_STARTED });
    const running = evolveProvider(started, told("PROVIDER_STATUS_CHANGED"));
    expect(running).toMatchObject({ status: "running", started: PROVIDER_EXAMPLES.PROVIDER_STARTED, statusAtMs: 5 });
    expect(evolveProvider(running, told("PROVIDER_STOPPED"))).toMatchObject({ status: "stopped", started: null });
    expect(evolveProvider(running, told("PROVIDER_CHANGED")).facts.contextTokens).toBe(32_768);
    expect(evolveProvider(running, told("PROVIDER_PROBED")).probe).toEqual({
      ...PROVIDER_EXAMPLES.PROVIDER_PROBED,
      atMs: 5,
    });
  });

  it("can be added again after it was removed, and begins anew", () => {
    const removed = evolveProvider(evolveProvider(born, told("PROVIDER_PROBED")), told("PROVIDER_REMOVED"));
    expect(removed.removed).toBe(true);
    expect(evolveProvider(removed, told("PROVIDER_ADDED"))).toEqual(born);
    expect(() => evolveProvider(born, told("PROVIDER_ADDED"))).toThrow("was added twice");
    expect(() => bornProvider("x", told("PROVIDER_STOPPED"))).toThrow("begins with PROVIDER_STOPPED");
  });

  it("is known by the name of its kind without being added, but for those that need an address", () => {
    expect(KNOWN_PROVIDERS.map((id) => knownFacts(id)?.kind)).toEqual(KNOWN_PROVIDERS);
    expect(KNOWN_PROVIDERS.filter((kind) => BASE_URLS[kind] === null)).toEqual([]);
    expect(knownFacts("openai-compatible")).toBeNull();
  });
});

describe("where Ollama is, from OLLAMA_HOST:", () => {
  it.each([
    [undefined, "http://127.0.0.1:11434"],
    ["", "http://127.0.0.1:11434"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    [":8080", "http://127.0.0.1:8080"],
    ["192.168.1.5", "http://192.168.1.5:11434"],
    ["192.168.1.5:1234", "http://192.168.1.5:1234"],
    ["example.com", "http://example.com:11434"],
    ["http://example.com", "http://example.com:80"],
    ["https://example.com", "https://example.com:443"],
    ["https://example.com:8443/llm/", "https://example.com:8443/llm"],
    ["http://0.0.0.0", "http://127.0.0.1:80"],
    ['  "http://localhost:9000" ', "http://localhost:9000"],
    ["'10.0.0.1'", "http://10.0.0.1:11434"],
    ["::", "http://[::1]:11434"],
    ["::1", "http://[::1]:11434"],
    ["[::]:8000", "http://[::1]:8000"],
    ["[fd00::1]", "http://[fd00::1]:11434"],
    ["example.com:99999", "http://example.com:11434"],
    ["example.com:abc", "http://example.com:11434"],
    ["example.com/path", "http://example.com:11434/path"],
  ])("%j is %s", (variable, url) => expect(ollamaUrl(variable)).toBe(url));
});

const NOTHING: Signs = {
  reached: "somebody",
  ollamaGreets: false,
  ollamaVersion: null,
  llamaHeader: false,
  llamaHealth: null,
  llamaBuild: null,
  lmstudioGreets: false,
  openaiModels: null,
};

describe("who answers", () => {
  it.each<[string, Partial<Signs>, Partial<Judged>]>([
    ["nobody", { reached: "nobody" }, { is: "nobody" }],
    ["one that says nothing", { reached: "silent" }, { is: "silent" }],
    [
      "Ollama greets and has a version",
      { ollamaGreets: true, ollamaVersion: "0.12.6" },
      { is: "ollama", version: "0.12.6" },
    ],
    ["a version alone is any program's", { ollamaVersion: "1.2.3" }, { is: "stranger" }],
    ["a greeting alone is a page's", { ollamaGreets: true }, { is: "stranger" }],
    [
      "a llama-server by header and health",
      { llamaHeader: true, llamaHealth: "ok" },
      { is: "llamacpp", loading: false },
    ],
    ["one behind a proxy, by its build", { llamaBuild: "b1", llamaHealth: "ok" }, { is: "llamacpp", version: "b1" }],
    ["one that loads", { llamaHeader: true, llamaHealth: "loading" }, { is: "llamacpp", loading: true }],
    ["a health alone is any program's", { llamaHealth: "ok" }, { is: "stranger" }],
    ["LM Studio greets", { lmstudioGreets: true, openaiModels: "list" }, { is: "lmstudio" }],
    ["a list of models", { openaiModels: "list" }, { is: "openai-compatible", keyWanted: false }],
    ["one that wants a key", { openaiModels: "key_wanted" }, { is: "openai-compatible", keyWanted: true }],
    ["another program", {}, { is: "stranger" }],
  ])("%s", (_, signs, judged) => expect(judge({ ...NOTHING, ...signs })).toMatchObject(judged));
});

describe("how a provider stands", () => {
  const BESIDE: Beside = { baseUrl: "http://127.0.0.1:1", ours: "none", executable: null, hasKey: false, keyName: "K" };
  const is = (what: Judged["is"], loading = false): Judged => ({ is: what, loading, version: null, keyWanted: false });

  it.each<[ProviderKind, Judged | null, Partial<Beside>, string]>([
    ["ollama", is("ollama"), {}, "running"],
    ["ollama", is("llamacpp"), {}, "impostor"],
    ["llamacpp", is("stranger"), {}, "impostor"],
    ["llamacpp", is("llamacpp", true), {}, "loading"],
    ["llamacpp", is("nobody"), {}, "absent"],
    ["llamacpp", is("nobody"), { executable: "/bin/llama-server" }, "stopped"],
    ["llamacpp", is("nobody"), { ours: "alive" }, "starting"],
    ["llamacpp", is("nobody"), { ours: "dead" }, "failed"],
    ["llamacpp", is("silent"), { ours: "alive" }, "starting"],
    ["llamacpp", is("silent"), {}, "failed"],
    ["openai-compatible", is("openai-compatible"), {}, "running"],
    ["openai-compatible", is("nobody"), {}, "stopped"],
    ["openai-compatible", is("stranger"), {}, "impostor"],
    ["openai", null, {}, "absent"],
    ["openai", null, { hasKey: true }, "unknown"],
  ])("%s, with %j and %j: %s", (kind, judged, beside, status) =>
    expect(standsAs(kind, judged, { ...BESIDE, ...beside }).status).toBe(status),
  );

  it("has a next step of this platform wherever something is to be done", () => {
    const next = (
      platform: (typeof PLATFORM_NAMES)[number],
      kind: ProviderKind,
      status: never | string,
    ): string | null => nextFor("box", kind, { status: status as "absent", detail: "" }, PLATFORMS[platform], false);
    expect(next("linux", "ollama", "absent")).toContain("curl -fsSL https://ollama.com/install.sh");
    expect(next("darwin", "llamacpp", "absent")).toContain("brew install llama.cpp");
    expect(next("win32", "lmstudio", "absent")).toContain("winget install");
    expect(next("wsl", "ollama", "absent")).toContain("OLLAMA_HOST=0.0.0.0 in Windows' environment");
    expect(next("linux", "openai", "absent")).toBe("agentos provider key box");
    expect(next("linux", "llamacpp", "stopped")).toBe("agentos provider start box");
    expect(next("linux", "ollama", "running")).toBeNull();
  });
});

describe("what a probe shows", () => {
  const CALLED: Tried = { is: "called", inputTokens: 9_000 };
  const seen = (more: Partial<Gathered>): Gathered => ({
    model: "small",
    plain: { is: "called", inputTokens: 100 },
    padded: CALLED,
    paddedTokens: 8_000,
    contextTokens: 65_536,
    contextTokensMax: 131_072,
    tokensPerSecond: 40,
    ...more,
  });

  it.each<[string, ProviderKind, Partial<Gathered>, string, RegExp | null]>([
    ["all is well", "ollama", {}, "works", null],
    ["no call at all", "llamacpp", { plain: { is: "no_call", inputTokens: 9 }, padded: null }, "no_call", /--jinja/],
    [
      "a wrong call",
      "ollama",
      { plain: { is: "wrong_call", inputTokens: 9, what: "x" } },
      "wrong_call",
      /trained to call tools/,
    ],
    ["the call failed", "ollama", { plain: { is: "failed", why: "HTTP 500" } }, "failed", null],
    ["not one tool fits", "openai", { plain: { is: "overflow" }, padded: null }, "failed", /at least 32768 tokens/],
    ["among many tools the call failed", "ollama", { padded: { is: "failed", why: "HTTP 500" } }, "works", null],
    [
      "Ollama cut the tools off, and says how much it kept",
      "ollama",
      { padded: { is: "no_call", inputTokens: 4_096 }, contextTokens: 4_096 },
      "cut_off",
      /OLLAMA_CONTEXT_LENGTH to 32768/,
    ],
    [
      "something was cut off although a call came",
      "ollama",
      { padded: { is: "called", inputTokens: 4_096 }, contextTokens: null },
      "cut_off",
      /num_ctx/,
    ],
    [
      "nobody counts, and the context is known to be too small",
      "lmstudio",
      { padded: { is: "no_call", inputTokens: null }, contextTokens: 4_096 },
      "cut_off",
      /lms load small --context-length 32768/,
    ],
    [
      "a llama-server refuses what does not fit",
      "llamacpp",
      { padded: { is: "overflow" }, contextTokens: 4_096 },
      "works",
      /-c 32768: agentos provider set box --context 32768/,
    ],
    [
      "a template that leaves descriptions out",
      "llamacpp",
      { padded: { is: "called", inputTokens: 400 } },
      "works",
      null,
    ],
    ["a small but honest context", "ollama", { contextTokens: 16_384 }, "works", /OLLAMA_CONTEXT_LENGTH/],
    [
      "a model that was made for less",
      "ollama",
      { contextTokens: 2_048, contextTokensMax: 2_048 },
      "works",
      /small itself was made for 2048 tokens/,
    ],
    ["lost among many tools", "ollama", { padded: { is: "no_call", inputTokens: 9_000 } }, "works", /fewer tools/],
  ])("%s (%s)", (_, kind, more, toolCall, change) => {
    const found = judgeProbe("box", kind, seen(more));
    expect(found.toolCall).toBe(toolCall);
    if (change === null) expect(found.change).toEqual([]);
    else expect(found.change.join("\n")).toMatch(change);
  });

  it("says what became of a call among many tools", () => {
    const detail = (padded: Tried) => judgeProbe("box", "llamacpp", seen({ padded })).detail;
    expect(
      [
        { is: "called", inputTokens: 9_000 } as const,
        { is: "overflow" } as const,
        { is: "failed", why: "HTTP 500" } as const,
        { is: "wrong_call", inputTokens: 9_000, what: "x" } as const,
      ].map(detail),
    ).toEqual([
      "the tool call works, also among many tools",
      "the tool call works; many tools do not fit into its context, which it says",
      "the tool call works; among many tools the call failed: HTTP 500",
      "the tool call works; among many tools it does not find the right one",
    ]);
  });

  it("measures the context where the provider does not say it", () =>
    expect(
      judgeProbe("box", "ollama", seen({ padded: { is: "no_call", inputTokens: 2_048 }, contextTokens: null }))
        .contextTokens,
    ).toBe(2_048));
});

describe("the platforms", () => {
  const around = (variables: Readonly<Record<string, string>>) => ({
    home: "/home/ada",
    variable: (name: string) => variables[name],
  });

  it.each(PLATFORM_NAMES)("%s says for each local kind where it lies and what to do", (name) => {
    const platform = PLATFORMS[name];
    expect(platform.open).toContain("{}");
    for (const kind of LOCAL_KINDS) {
      const { programs, modelsDirectories, advice } = platform.local[kind];
      expect(programs.length, `${name} ${kind}`).toBeGreaterThan(0);
      expect(modelsDirectories.length, `${name} ${kind}`).toBeGreaterThan(0);
      for (const [what, text] of Object.entries(advice)) expect(text, `${name} ${kind} ${what}`).not.toBe("");
      expect(programs.every((program) => program.endsWith(".exe") === (name === "win32"))).toBe(true);
    }
  });

  it("each have their own places", () => {
    const variables = { LOCALAPPDATA: "C:\\Users\\ada\\AppData\\Local", LMSTUDIO_HOME: "/lm" };
    const of = (name: (typeof PLATFORM_NAMES)[number]) => PLATFORMS[name].local;
    expect(pathsOf(of("win32").ollama.executables, around(variables))).toEqual([
      "C:\\Users\\ada\\AppData\\Local\\Programs\\Ollama\\ollama.exe",
    ]);
    expect(pathsOf(of("darwin").ollama.executables, around(variables))).toContain(
      "/Applications/Ollama.app/Contents/Resources/ollama",
    );
    expect(pathsOf(of("linux").lmstudio.executables, around(variables))).toEqual(["/lm/bin/lms"]);
    expect(pathsOf(of("win32").ollama.modelsDirectories, { ...around({}), home: "C:\\Users\\ada" })).toEqual([
      "C:\\Users\\ada\\.ollama\\models",
    ]);
    expect(PLATFORMS.wsl.local.llamacpp).toEqual(PLATFORMS.linux.local.llamacpp);
  });

  it("take llama.cpp's cache from its variables in llama.cpp's order", () => {
    const first = (variables: Readonly<Record<string, string>>) =>
      pathsOf(PLATFORMS.linux.local.llamacpp.modelsDirectories, around(variables))[0];
    expect(first({})).toBe("/home/ada/.cache/huggingface/hub");
    expect(first({ XDG_CACHE_HOME: "/x" })).toBe("/x/huggingface/hub");
    expect(first({ XDG_CACHE_HOME: "/x", HF_HOME: "/hf" })).toBe("/hf/hub");
    expect(first({ HF_HOME: "/hf", HF_HUB_CACHE: "/hub", LLAMA_CACHE: "/llama" })).toBe("/llama");
  });

  it("are told apart by name and kernel", () => {
    expect(platformOf("linux", "6.8.0-generic").name).toBe("linux");
    expect(platformOf("linux", "5.15.153.1-microsoft-standard-WSL2").name).toBe("wsl");
    expect(platformOf("darwin", "24.0.0").name).toBe("darwin");
    expect(platformOf("win32", "10.0.22631").name).toBe("win32");
  });

  it("know the Windows host of a WSL by its default route", () => {
    const table =
      "Iface\tDestination\tGateway \tFlags\neth0\t0010A8C0\t00000000\t0001\neth0\t00000000\t0110A8C0\t0003\n";
    expect(windowsHost(table)).toBe("192.168.16.1");
    expect(windowsHost("Iface\tDestination\tGateway\n")).toBeNull();
    expect(windowsHost("")).toBeNull();
  });
});
