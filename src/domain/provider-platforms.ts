import type { LocalKind } from "./provider-facts.ts";

export const PLATFORM_NAMES = ["linux", "wsl", "darwin", "win32"] as const;
export type PlatformName = (typeof PLATFORM_NAMES)[number];

/** What a person is to do, in words; `<id>` stands for the provider. */
export interface Advice {
  /** How its program comes onto the machine. */
  readonly install: string;
  /** How it is started by hand, where AgentOS cannot. */
  readonly start: string;
  /** How one that AgentOS did not start is stopped. */
  readonly stop: string;
  /** Where one that AgentOS did not start says what it does. */
  readonly logs: string;
}

/**
 * Where a local provider lies on one platform. Paths are templates: `~` is the person's home, `%NAME%` a variable (a template whose
 * variable is not set does not count), one `*` in the last part stands for anything.
 */
export interface LocalPlaces {
  /** Names to look for along PATH, before the places. */
  readonly programs: readonly string[];
  readonly executables: readonly string[];
  /** The first that can be said is where models are kept, unless a later one is the first that is there. */
  readonly modelsDirectories: readonly string[];
  /** Logs of a server that AgentOS did not start. */
  readonly logs: readonly string[];
  /** The desktop application, where there is one. */
  readonly apps: readonly string[];
  readonly advice: Advice;
}

export interface Platform {
  readonly name: PlatformName;
  /** The command that opens an application; `{}` is its path. */
  readonly open: readonly string[];
  readonly separator: ":" | ";";
  readonly local: Readonly<Record<LocalKind, LocalPlaces>>;
}

/** llama.cpp's own order of places for downloaded models. */
const LLAMA_CACHES = [
  "%LLAMA_CACHE%",
  "%HF_HUB_CACHE%",
  "%HUGGINGFACE_HUB_CACHE%",
  "%HF_HOME%/hub",
  "%XDG_CACHE_HOME%/huggingface/hub",
  "~/.cache/huggingface/hub",
];

/** `%LMSTUDIO_HOME%` is set by whoever looks: LM Studio says in a file where its home is. */
const LM_MODELS = ["%LMSTUDIO_HOME%/models"];

const LINUX: Platform["local"] = {
  ollama: {
    programs: ["ollama"],
    executables: ["/usr/local/bin/ollama", "/usr/bin/ollama", "/bin/ollama"],
    modelsDirectories: ["%OLLAMA_MODELS%", "~/.ollama/models", "/usr/share/ollama/.ollama/models"],
    logs: ["~/.ollama/logs/server.log"],
    apps: [],
    advice: {
      install: "Install Ollama: curl -fsSL https://ollama.com/install.sh | sh",
      start: "systemctl start ollama, or agentos provider start <id>",
      stop: "It is usually a service of the system: sudo systemctl stop ollama.",
      logs: "journalctl -u ollama shows what the service of the system says.",
    },
  },
  llamacpp: {
    programs: ["llama-server"],
    executables: [],
    modelsDirectories: LLAMA_CACHES,
    logs: [],
    apps: [],
    advice: {
      install:
        "Install llama.cpp so that llama-server is on your PATH (brew install llama.cpp, nix, conda-forge, or your own build), or name it: agentos provider set <id> --executable PATH",
      start: "agentos provider start <id>",
      stop: "End it where you started it: Ctrl+C in its terminal, or kill its process.",
      logs: "It says what it does where it was started: in its terminal.",
    },
  },
  lmstudio: {
    programs: ["lms"],
    executables: ["%LMSTUDIO_HOME%/bin/lms"],
    modelsDirectories: LM_MODELS,
    logs: [],
    apps: [
      "%LMSTUDIO_APP%",
      "~/Applications/LM-Studio*.AppImage",
      "~/.local/bin/LM-Studio*.AppImage",
      "~/Downloads/LM-Studio*.AppImage",
      "/opt/LM-Studio/lm-studio",
    ],
    advice: {
      install: "Install LM Studio: https://lmstudio.ai (an AppImage), start it once, and it brings its command lms.",
      start: "In LM Studio: Developer, then switch the server on (Status: Running).",
      stop: "In LM Studio: Developer, then switch the server off; or lms server stop.",
      logs: "lms log stream, or in LM Studio: Developer, Server Logs.",
    },
  },
};

export const PLATFORMS: Readonly<Record<PlatformName, Platform>> = {
  linux: { name: "linux", open: ["{}"], separator: ":", local: LINUX },
  wsl: {
    name: "wsl",
    open: ["{}"],
    separator: ":",
    local: {
      ...LINUX,
      ollama: {
        ...LINUX.ollama,
        advice: {
          ...LINUX.ollama.advice,
          install:
            "Install Ollama here (curl -fsSL https://ollama.com/install.sh | sh), or use the one on Windows: let it listen for WSL (OLLAMA_HOST=0.0.0.0 in Windows' environment, then start it again) and run agentos provider detect.",
        },
      },
      lmstudio: {
        ...LINUX.lmstudio,
        advice: {
          install:
            "Use LM Studio on Windows: Developer, Server Settings, switch on Serve on Local Network, then agentos provider detect.",
          start: "In LM Studio on Windows: Developer, then switch the server on (Status: Running).",
          stop: "In LM Studio on Windows: Developer, then switch the server off.",
          logs: "lms log stream, or in LM Studio: Developer, Server Logs.",
        },
      },
    },
  },
  darwin: {
    name: "darwin",
    open: ["open", "-a", "{}"],
    separator: ":",
    local: {
      ollama: {
        programs: ["ollama"],
        executables: [
          "/usr/local/bin/ollama",
          "/opt/homebrew/bin/ollama",
          "/Applications/Ollama.app/Contents/Resources/ollama",
        ],
        modelsDirectories: ["%OLLAMA_MODELS%", "~/.ollama/models"],
        logs: ["~/.ollama/logs/server.log"],
        apps: ["/Applications/Ollama.app"],
        advice: {
          install: "Install Ollama: https://ollama.com/download, or brew install ollama",
          start: "Open Ollama from Applications, or agentos provider start <id>",
          stop: "Quit Ollama from the menu bar; the application starts its server again otherwise.",
          logs: "~/.ollama/logs/server.log has what the application's server says.",
        },
      },
      llamacpp: {
        programs: ["llama-server"],
        executables: ["/opt/homebrew/bin/llama-server", "/usr/local/bin/llama-server"],
        modelsDirectories: [...LLAMA_CACHES, "~/Library/Caches/llama.cpp"],
        logs: [],
        apps: [],
        advice: {
          install:
            "Install llama.cpp: brew install llama.cpp, or name your own build: agentos provider set <id> --executable PATH",
          start: "agentos provider start <id>",
          stop: "End it where you started it: Ctrl+C in its terminal, or kill its process.",
          logs: "It says what it does where it was started: in its terminal.",
        },
      },
      lmstudio: {
        programs: ["lms"],
        executables: ["%LMSTUDIO_HOME%/bin/lms"],
        modelsDirectories: LM_MODELS,
        logs: [],
        apps: ["%LMSTUDIO_APP%", "/Applications/LM Studio.app", "~/Applications/LM Studio.app"],
        advice: {
          install: "Install LM Studio: https://lmstudio.ai, start it once, and it brings its command lms.",
          start: "In LM Studio: Developer, then switch the server on (Status: Running).",
          stop: "In LM Studio: Developer, then switch the server off; or lms server stop.",
          logs: "lms log stream, or in LM Studio: Developer, Server Logs.",
        },
      },
    },
  },
  win32: {
    name: "win32",
    open: ["cmd.exe", "/d", "/c", "start", "", "{}"],
    separator: ";",
    local: {
      ollama: {
        programs: ["ollama.exe"],
        executables: ["%LOCALAPPDATA%\\Programs\\Ollama\\ollama.exe"],
        modelsDirectories: ["%OLLAMA_MODELS%", "~\\.ollama\\models"],
        logs: ["%LOCALAPPDATA%\\Ollama\\server.log"],
        apps: ["%LOCALAPPDATA%\\Programs\\Ollama\\ollama app.exe"],
        advice: {
          install: "Install Ollama: winget install Ollama.Ollama",
          start: "Open Ollama from the Start menu, or agentos provider start <id>",
          stop: "Quit Ollama from the tray; the application starts its server again otherwise.",
          logs: "%LOCALAPPDATA%\\Ollama\\server.log has what the application's server says.",
        },
      },
      llamacpp: {
        programs: ["llama-server.exe"],
        executables: ["%LOCALAPPDATA%\\Microsoft\\WinGet\\Links\\llama-server.exe"],
        modelsDirectories: LLAMA_CACHES.map((path) => path.replaceAll("/", "\\")),
        logs: [],
        apps: [],
        advice: {
          install:
            "Install llama.cpp: winget install llama.cpp, or name your own build: agentos provider set <id> --executable PATH",
          start: "agentos provider start <id>",
          stop: "End it where you started it: Ctrl+C in its window, or in the Task Manager.",
          logs: "It says what it does where it was started: in its terminal.",
        },
      },
      lmstudio: {
        programs: ["lms.exe"],
        executables: ["%LMSTUDIO_HOME%\\bin\\lms.exe"],
        modelsDirectories: LM_MODELS.map((path) => path.replaceAll("/", "\\")),
        logs: [],
        apps: [
          "%LMSTUDIO_APP%",
          "%LOCALAPPDATA%\\Programs\\LM Studio\\LM Studio.exe",
          "%LOCALAPPDATA%\\LM-Studio\\LM Studio.exe",
        ],
        advice: {
          install:
            "Install LM Studio: winget install ElementLabs.LMStudio, start it once, and it brings its command lms.",
          start: "In LM Studio: Developer, then switch the server on (Status: Running).",
          stop: "In LM Studio: Developer, then switch the server off; or lms server stop.",
          logs: "lms log stream, or in LM Studio: Developer, Server Logs.",
        },
      },
    },
  },
};

/** Ports on which servers are often found besides the usual one: several llama-servers count upwards. */
export const OTHER_PORTS: Readonly<Record<LocalKind, readonly number[]>> = {
  ollama: [],
  llamacpp: [8081, 8082, 8083],
  lmstudio: [],
};

export interface Surroundings {
  readonly home: string;
  readonly variable: (name: string) => string | undefined;
}

/** The paths that can be said here, in the order of the templates. */
export function pathsOf(templates: readonly string[], { home, variable }: Surroundings): readonly string[] {
  return templates.flatMap((template) => {
    let missing = false;
    const path = template
      .replace(/^~(?=[\\/]|$)/, () => home)
      .replace(/%(\w+)%/g, (_, name: string) => {
        const value = variable(name) ?? "";
        missing ||= value === "";
        return value;
      });
    return missing ? [] : [path];
  });
}

/** Which platform this is: WSL is a Linux whose kernel Microsoft made. */
export function platformOf(platform: string, kernel: string): Platform {
  if (platform === "darwin" || platform === "win32") return PLATFORMS[platform];
  return /microsoft/i.test(kernel) ? PLATFORMS.wsl : PLATFORMS.linux;
}

/** The address of the Windows host seen from WSL: the default gateway in /proc/net/route, written backwards in hex. */
export function windowsHost(routes: string): string | null {
  for (const line of routes.split("\n").slice(1)) {
    const [, destination, gateway] = line.trim().split(/\s+/);
    if (destination !== "00000000" || gateway === undefined || !/^[0-9A-Fa-f]{8}$/.test(gateway)) continue;
    const bytes = [6, 4, 2, 0].map((at) => Number.parseInt(gateway.slice(at, at + 2), 16));
    if (bytes.some((byte) => byte !== 0)) return bytes.join(".");
  }
  return null;
}

export const advised = (text: string, id: string): string => text.replaceAll("<id>", id);
