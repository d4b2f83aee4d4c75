/** How an agent that speaks ACP is started. Data, so that one more agent is one more row. */
export interface Launcher {
  readonly name: string;
  readonly title: string;
  /** Program names to look for, the first found counts; the words after it. */
  readonly programs: readonly string[];
  readonly args: readonly string[];
  /** The session mode that only plans, where the agent has one. */
  readonly planMode: string | null;
  /** The session mode in which it may edit, where its usual one would not do. */
  readonly workMode: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly install: string;
  /** Hosts its model usually answers at: shown as advice, never opened by themselves. */
  readonly usualHosts: readonly string[];
  /** What a person should know of it. */
  readonly quirk: string | null;
}

const row = (launcher: Pick<Launcher, "name" | "title" | "programs" | "install"> & Partial<Launcher>): Launcher => ({
  args: [],
  planMode: null,
  workMode: null,
  environment: {},
  usualHosts: [],
  quirk: null,
  ...launcher,
});

export const LAUNCHERS: readonly Launcher[] = [
  row({
    name: "opencode",
    title: "opencode",
    programs: ["opencode"],
    args: ["acp"],
    planMode: "plan",
    // A session that planned and is loaded again would go on planning.
    workMode: "build",
    environment: { OPENCODE_DISABLE_AUTOUPDATE: "1", OPENCODE_DISABLE_LSP_DOWNLOAD: "1" },
    install: "npm install -g opencode-ai",
    usualHosts: ["api.anthropic.com:443", "api.openai.com:443", "models.dev:443"],
    quirk: "a model of your own goes into OPENCODE_CONFIG_CONTENT, granted as a variable",
  }),
  row({
    name: "codex",
    title: "Codex",
    programs: ["codex-acp"],
    // Any other mode starts each command in a sandbox of its own, which cannot begin inside ours; what may be changed is ours to say.
    environment: { INITIAL_AGENT_MODE: "agent-full-access" },
    install: "npm install -g @openai/codex @agentclientprotocol/codex-acp",
    usualHosts: ["api.openai.com:443", "chatgpt.com:443", "auth.openai.com:443"],
    quirk:
      "its own sandbox cannot start inside ours, so it runs in full access and asks for nothing; with INITIAL_AGENT_MODE=read-only granted as a variable it asks for what its model wants outside of it",
  }),
  row({
    name: "claude",
    title: "Claude Code",
    programs: ["claude-agent-acp"],
    planMode: "plan",
    environment: { DISABLE_AUTOUPDATER: "1", CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
    install: "npm install -g @anthropic-ai/claude-code @agentclientprotocol/claude-agent-acp",
    usualHosts: ["api.anthropic.com:443"],
    quirk: "it refuses to run as root; inside AgentOS it never is",
  }),
  row({
    name: "gemini",
    title: "Gemini CLI",
    programs: ["gemini"],
    args: ["--acp"],
    planMode: "plan",
    install: "npm install -g @google/gemini-cli",
    usualHosts: ["generativelanguage.googleapis.com:443", "cloudcode-pa.googleapis.com:443"],
  }),
  row({
    name: "copilot",
    title: "Copilot CLI",
    programs: ["copilot"],
    args: ["--acp", "--stdio"],
    install: "npm install -g @github/copilot",
    usualHosts: ["api.githubcopilot.com:443", "api.github.com:443"],
  }),
  row({
    name: "cursor",
    title: "Cursor",
    programs: ["cursor-agent"],
    args: ["acp"],
    install: "see https://cursor.com/cli",
    usualHosts: ["api2.cursor.sh:443"],
  }),
  row({
    name: "goose",
    title: "Goose",
    programs: ["goose"],
    args: ["acp"],
    install: "see https://block.github.io/goose",
  }),
  row({
    name: "qwen",
    title: "Qwen Code",
    programs: ["qwen"],
    args: ["--acp"],
    planMode: "plan",
    workMode: "default",
    install: "npm install -g @qwen-code/qwen-code",
    quirk: "left alone it writes without asking, so its mode is set",
  }),
  row({ name: "kilo", title: "Kilo", programs: ["kilo"], args: ["acp"], install: "npm install -g @kilocode/cli" }),
  row({
    name: "auggie",
    title: "Auggie",
    programs: ["auggie"],
    args: ["--acp"],
    install: "npm install -g @augmentcode/auggie",
  }),
  row({ name: "pi", title: "Pi", programs: ["pi-acp"], install: "npm install -g pi-acp" }),
];

export const CUSTOM_AGENT = "custom";

export const launcherNamed = (name: string): Launcher | undefined => LAUNCHERS.find((one) => one.name === name);
