import { spawn } from "node:child_process";
import { z } from "zod";
import { command } from "./command.ts";
import { field } from "./escape.ts";

/** `agentos --web`: the daemon runs, its address is on stdout, and a browser shows it where there is one to be shown. */
export const web = command({
  args: z.strictObject({}),
  async run(_, { daemon, settings, out }) {
    const { url, started, pid } = await daemon.start();
    out.result(
      { url, pid, started },
      () => [field(url)],
      () => [url],
    );
    if (!settings.display) out.note("there is no display here: open the address in a browser on this machine");
    else if (await browse(url)) out.note("opened in your browser; the daemon runs on until agentos daemon stop");
    else out.note("open the address in a browser");
  },
});

/** Whether a program for opening addresses took it. */
function browse(url: string): Promise<boolean> {
  const program = process.platform === "darwin" ? "open" : "xdg-open";
  return new Promise((resolve) => {
    const child = spawn(program, [url], { detached: true, stdio: "ignore" });
    child.once("spawn", () => {
      child.unref();
      resolve(true);
    });
    child.once("error", () => resolve(false));
  });
}
