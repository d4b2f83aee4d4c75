import { spawn } from "node:child_process";
import { once } from "node:events";
import { Failure } from "../../domain/failure.ts";
import type { ProviderKind } from "../../domain/provider-facts.ts";
import type { Platform } from "../../domain/provider-platforms.ts";
import type { Providers } from "../../ports/providers.ts";
import { browse } from "./browse.ts";
import type { Driver } from "./driver.ts";
import { llamacpp } from "./llamacpp.ts";
import { lmstudio } from "./lmstudio.ts";
import { look } from "./look.ts";
import { ollama } from "./ollama.ts";
import { remote } from "./openai.ts";
import { places } from "./places.ts";
import { isSame, marksFor } from "./process-mark.ts";
import { runProgram } from "./run-program.ts";
import { endOf, serverLogs } from "./server-log.ts";
import { endGroup, type ServerProcesses, startProcess, startService } from "./server-process.ts";

export interface ProvidersOptions {
  /** The data directory. */
  readonly home: string;
  /** The person's. */
  readonly personHome: string;
  readonly platform: Platform;
  /** The daemon's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const SERVICE_STOP_MS = 60_000;

/** The providers of this machine. */
export function localProviders({ home, personHome, platform, environment }: ProvidersOptions): Providers {
  const given = forServers(environment);
  const here = places(platform, { home: personHome, variable: (name) => environment[name] }, given);
  const drivers: Readonly<Record<ProviderKind, Driver>> = {
    ollama,
    llamacpp,
    lmstudio: lmstudio(platform, given, () => here.app("lmstudio")),
    "openai-compatible": remote,
    openai: remote,
    anthropic: remote,
    google: remote,
  };
  const logs = serverLogs(home);
  const marks = marksFor(platform.name);
  const using: ServerProcesses = {
    marks,
    logs,
    look,
    windows: platform.name === "win32",
    environment: given,
  };
  return {
    platform,
    personHome,
    look,
    program: here.program,
    modelsDirectory: here.modelsDirectory,
    usualUrl: here.usualUrl,
    windowsHost: here.windowsHost,
    modelFiles: here.modelFiles,
    models: (place) => drivers[place.kind].models(place),
    window: (place, model) => drivers[place.kind].window(place, model),
    pull: (place, model) => drivers[place.kind].pull(place, model),
    launch: (place) => drivers[place.kind].launch(place),
    start: (place, launch, onStarted) =>
      launch.how === "process"
        ? startProcess(using, place, launch, onStarted)
        : startService(using, place, launch, onStarted),

    async open({ argv }) {
      const [program = "", ...rest] = argv;
      const child = spawn(program, rest, { detached: true, stdio: "ignore", env: { ...environment } });
      try {
        await once(child, "spawn");
      } catch (cause) {
        throw new Failure("provider/failed", `${argv.join(" ")} could not be started`, { cause });
      }
      child.unref();
    },

    async stop(place, { how, mark }) {
      if (how === "process") return mark !== null && endGroup(using, mark);
      if (mark !== null && !isSame(mark, marks.of(mark.pid))) return false;
      const ran = await runProgram([place.executable ?? "lms", "server", "stop"], SERVICE_STOP_MS, given);
      if (ran.exitCode !== 0)
        throw new Failure("provider/failed", `lms server stop ended with ${ran.exitCode ?? ran.signal}: ${ran.last}`);
      return true;
    },

    isAlive: (mark) => isSame(mark, marks.of(mark.pid)),

    async log(place, bytesMax) {
      const own = await logs.end(place.id, bytesMax);
      if (own !== null) return { from: logs.path(place.id), text: own };
      for (const path of await here.logs(place.kind)) {
        const text = await endOf(path, bytesMax);
        if (text !== null) return { from: path, text };
      }
      return null;
    },

    browse,
  };
}

/**
 * What a server may need of the daemon's environment: where things are, and what it is told by its own variables. Keys of cloud providers
 * and of AgentOS itself are none of its business.
 */
const FOR_SERVERS =
  /^(HOME|PATH|Path|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|XDG_\w+|LD_LIBRARY_PATH|DYLD_\w+|CUDA_\w+|NVIDIA_\w+|HIP_\w+|ROCR_\w+|HSA_\w+|VK_\w+|GGML_\w+|LLAMA_\w+|OLLAMA_\w+|HF_\w+|HUGGINGFACE_\w+|LMS_\w+|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|SystemRoot|SYSTEMROOT|windir|COMSPEC|ComSpec|PATHEXT|USERPROFILE|APPDATA|LOCALAPPDATA|ProgramFiles|ProgramData)$/;

const forServers = (environment: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && FOR_SERVERS.test(entry[0]),
    ),
  );
