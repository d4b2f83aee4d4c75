import { describe, expect, test } from "vitest";
import { type Around, type } from "../../../test/support/command-line.ts";
import { providerGiven } from "../../../test/support/given-views.ts";
import { providerLines } from "./provider-text.ts";

const absent = providerGiven({ id: "lmstudio", kind: "lmstudio", status: "absent", base_url: "http://127.0.0.1:1234" });
const ran = (say: string | null) => async (id: string) => ({ provider: providerGiven({ id }), say });

interface Row {
  readonly words: string;
  readonly around: Around;
  readonly out: readonly string[];
  readonly ids: readonly string[];
  readonly talk?: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    words: "provider list",
    around: { api: { providers: async () => ({ platform: "linux", items: [providerGiven(), absent] }) } },
    out: [
      "ID      KIND    STATUS   AT                      DETAIL",
      "ollama  ollama  running  http://127.0.0.1:11434  it answers",
      "Known and not in use: lmstudio (absent)",
    ],
    ids: ["ollama", "lmstudio"],
    talk: ["agentos provider show ID tells more of one; agentos provider detect looks for others"],
  },
  {
    words: "provider detect",
    around: {
      api: {
        detectProviders: async () => ({
          platform: "wsl",
          items: [
            { ...absent, next: "Install it." },
            providerGiven({ status: "impostor", detail: "something else is there" }),
            providerGiven({ id: "team", configured: true, status: "failed", detail: "no answer", next: "Start it." }),
            providerGiven({ id: "local", status: "loading" }),
          ],
          found: [
            {
              kind: "llamacpp",
              base_url: "http://10.0.0.1:8080",
              version: "b1",
              on: "windows",
              suggested_id: "llamacpp-2",
            },
            {
              kind: "ollama",
              base_url: "http://127.0.0.1:1",
              version: null,
              on: "this_machine",
              suggested_id: "ollama-2",
            },
          ],
        }),
      },
    },
    out: [
      "ID     KIND    STATUS   AT                      DETAIL",
      "team   ollama  failed   http://127.0.0.1:11434  no answer",
      "local  ollama  loading  http://127.0.0.1:11434  it answers",
      "Known and not in use: lmstudio (absent), ollama (impostor)",
      "Found llamacpp b1 at http://10.0.0.1:8080 on Windows, which nobody has added: agentos provider add llamacpp-2 --kind llamacpp --url http://10.0.0.1:8080",
      "Found ollama at http://127.0.0.1:1, which nobody has added: agentos provider add ollama-2 --kind ollama --url http://127.0.0.1:1",
    ],
    ids: ["local"],
    talk: ["ollama: something else is there", "team: no answer. Start it."],
  },
  {
    words: "provider models ollama",
    around: {
      api: {
        providerModels: async () => ({
          items: [
            { id: "qwen3:4b", where: "server", bytes: 2_048, loaded: true, tools: false, context_tokens_max: 32_768 },
            { id: "a.gguf", where: "disk", bytes: null, loaded: null, tools: null, context_tokens_max: null },
          ],
        }),
      },
    },
    out: [
      "WHERE   SIZE     LOADED  TOOLS  CONTEXT  MODEL",
      "server  2.0 KiB  yes     no     32768    qwen3:4b",
      "disk    -        -       -      -        a.gguf",
    ],
    ids: ["qwen3:4b", "a.gguf"],
  },
  {
    words: "provider pull ollama qwen3:4b",
    around: { api: { pullModel: async (provider, { model }) => ({ provider, model, said: "success" }) } },
    out: ["ollama has qwen3:4b (success)"],
    ids: ["qwen3:4b"],
    talk: ["ollama fetches qwen3:4b; that may take long"],
  },
  ...(["start", "stop", "restart"] as const).map(
    (verb): Row => ({
      words: `provider ${verb} ollama`,
      around: { api: { [`${verb}Provider`]: ran("Stop the service yourself.") } },
      out: ["ollama is running: it answers"],
      ids: ["ollama"],
      talk: ["Stop the service yourself."],
    }),
  ),
  {
    words: "provider remove ollama --yes",
    around: { api: { removeProvider: async (id) => ({ id, removed: true }) } },
    out: ["provider ollama is removed; its history stays"],
    ids: ["ollama"],
  },
  {
    words: "provider key ollama --forget",
    around: { api: { forgetKey: async (provider) => ({ provider, forgotten: true }) } },
    out: ["the stored key of ollama is forgotten"],
    ids: ["ollama"],
  },
  {
    words: "provider key team",
    around: {
      pipedIn: " sk-1\n",
      api: { storeKey: async (provider) => ({ provider, place: "keychain", hidden_by: "TEAM_API_KEY" }) },
    },
    out: ["the key of team is stored in the system's keychain"],
    ids: ["team"],
    talk: ["the variable TEAM_API_KEY is set where the daemon runs, and comes before what is stored"],
  },
];

describe("a provider's command tells what came of it in lines, and with --quiet the ids alone:", () => {
  test.each(ROWS)("$words", async ({ words, around, out, ids, talk = [] }) => {
    expect(await type(words, around)).toMatchObject({ exit: 0, out, talk });
    expect(await type(`${words} --quiet`, around)).toMatchObject({ exit: 0, out: ids, talk: [] });
  });
});

test("a machine without any provider, and a provider without any model, are said so", async () => {
  const platform = "linux";
  expect((await type("provider list", { api: { providers: async () => ({ platform, items: [] }) } })).out).toEqual([
    "no provider answers, and none is configured",
  ]);
  expect((await type("provider models x", { api: { providerModels: async () => ({ items: [] }) } })).out).toEqual([
    "no models",
  ]);
});

describe("a provider's key", () => {
  const api: Around["api"] = { storeKey: async (provider) => ({ provider, place: "file", hidden_by: null }) };

  test("is asked for at a terminal without being shown, and stored without the blanks around it", async () => {
    expect(await type("provider key team", { api, says: { secret: "sk-1 " } })).toEqual({
      exit: 0,
      questions: ["The key of team (not shown)"],
      asked: [["storeKey", "team", { key: "sk-1" }]],
      out: ["the key of team is stored in a file of the data directory, for its owner alone"],
      talk: [],
    });
  });

  test.each([
    ["said at the terminal", { says: { secret: null } }],
    ["piped in", { pipedIn: "\n" }],
  ])("that was not %s is not stored", async (_, around) =>
    expect(await type("provider key team", { api, ...around })).toMatchObject({
      exit: 2,
      asked: [],
      talk: [
        "agentos: No key was given.",
        'next: Type it when asked, or pipe it in: printf %s "$KEY" | agentos provider key team',
      ],
    }),
  );
});

test("a provider is removed only when the person is sure", async () => {
  expect(await type("provider remove team", { says: { yes: false } })).toEqual({
    exit: 1,
    asked: [],
    questions: ["What is configured of provider team is forgotten. Go on?"],
    out: [],
    talk: ["nothing was changed"],
  });
});

describe("a change of a provider", () => {
  const api: Around["api"] = {
    changeProvider: async (id) =>
      providerGiven({ id, started: { how: "process", pid: 7, argv: ["llama-server"], alive: true } }),
  };

  test("says paths from where the person stands, prices in millionths, and what is taken back", async () => {
    const said = await type(
      "provider set local --executable bin/llama --model-file a.gguf --models-directory /models --context 4096 --key-name A_KEY --price a=b=2.5/10 --price c=0/0.1 --forget url --quiet",
      { api, workingDirectory: "/here" },
    );
    expect(said).toMatchObject({ exit: 0, out: ["local"] });
    expect(said.asked).toEqual([
      [
        "changeProvider",
        "local",
        {
          executable: "/here/bin/llama",
          model_file: "/here/a.gguf",
          models_directory: "/models",
          context_tokens: 4096,
          key_name: "A_KEY",
          prices: { "a=b": { input: 2_500_000, output: 10_000_000 }, c: { input: 0, output: 100_000 } },
          base_url: null,
        },
      ],
    ]);
  });

  test("takes a port as the provider's, not as the daemon's", async () => {
    const said = await type("provider set local --port 8081 --quiet", { api });
    expect(said.asked).toEqual([["changeProvider", "local", { port: 8081 }]]);
  });

  test("of one that runs waits for its next start, and is told so", async () =>
    expect((await type("provider set local --url http://127.0.0.1:1", { api })).talk).toEqual([
      "it runs as it was started; agentos provider restart local takes it up",
    ]));

  test.each([
    [
      "provider set local",
      "agentos: It is not said what to change.",
      "next: agentos provider set --help shows what can be set.",
    ],
    [
      "provider set local --price large=2.5",
      "agentos: the price large=2.5 is not understood",
      "next: Say it as MODEL=IN/OUT, in US dollars for a million tokens: --price large=2.5/10",
    ],
  ])("that says nothing, or nothing understood, is refused: %s", async (words, ...talk) =>
    expect(await type(words, { api })).toMatchObject({ exit: 2, asked: [], talk }),
  );
});

describe("all there is to know of a provider", () => {
  test("is told, and what is not known is left out", () => {
    expect(providerLines(providerGiven())).toEqual([
      "provider ollama",
      "Kind: ollama",
      "Status: running, it answers",
      "Address: http://127.0.0.1:11434",
      "Started by AgentOS: no",
    ]);
    expect(
      providerLines(
        providerGiven({
          id: "local",
          kind: "llamacpp",
          next: "Wait.",
          version: "b1",
          key_name: "A_KEY",
          executable: "/bin/llama",
          models_directory: "/models",
          model_file: "/models/a.gguf",
          context_tokens: 4096,
          prices: { a: { input: 2_500_000, output: 10_000_000 } },
          started: { how: "process", pid: 7, argv: ["/bin/llama", "-m"], alive: true },
          probe: {
            at: "2026-11-22T12:00:00.000Z",
            model: "a",
            tool_call: "wrong_call",
            detail: "another tool",
            context_tokens: 4096,
            context_tokens_max: 32_768,
            tokens_per_second: 12,
            change: ["a larger context"],
          },
        }),
      ),
    ).toEqual([
      "provider local",
      "Kind: llamacpp",
      "Status: running, it answers",
      "Next: Wait.",
      "Address: http://127.0.0.1:11434",
      "Version: b1",
      "Key: A_KEY, not there",
      "Program: /bin/llama",
      "Models: /models",
      "Model file: /models/a.gguf",
      "Context: 4096 tokens",
      "Price of a: $2.5 in, $10 out, for a million tokens",
      "Started by AgentOS: yes, pid 7 (/bin/llama -m)",
      "Probed: 2026-11-22 12:00:00",
      "  Model: a",
      "  Tool calls: wrong call, another tool",
      "  Context: 4096 tokens of 32768 that the model allows",
      "  Speed: 12 tokens a second",
      "  Change: a larger context",
    ]);
  });

  test("says of one that AgentOS started when it has ended", () =>
    expect(
      providerLines(providerGiven({ started: { how: "service", pid: null, argv: ["ollama", "serve"], alive: false } })),
    ).toContain("Started by AgentOS: yes, and it has ended (ollama serve)"));
});
