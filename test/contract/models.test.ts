import { type Kind, modelsContract } from "./models-contract.ts";

const CHAT = { dialect: "chat", textArguments: true, keyHeader: "authorization" } as const;

const KINDS: readonly Kind[] = [
  { ...CHAT, kind: "openai-compatible", below: "/v1" },
  { ...CHAT, kind: "ollama", below: "" },
  { ...CHAT, kind: "llamacpp", below: "" },
  { ...CHAT, kind: "lmstudio", below: "" },
  { kind: "openai", below: "/v1", dialect: "responses", textArguments: true, keyHeader: "authorization" },
  { kind: "anthropic", below: "/v1", dialect: "messages", textArguments: true, keyHeader: "x-api-key" },
  { kind: "google", below: "/v1beta", dialect: "google", textArguments: false, keyHeader: "x-goog-api-key" },
];

for (const kind of KINDS) modelsContract(kind);
