import { z } from "zod";
import { columns, size } from "../columns.ts";
import { command } from "../command.ts";

export const workspaceList = command({
  args: z.strictObject({}),
  async run(_, { api, out }) {
    out.result(
      await api.workspaces(),
      ({ items }) =>
        items.length === 0
          ? ["no workspaces"]
          : columns([
              ["TASK", "STATUS", "SIZE", "EPOCHS"],
              ...items.map((one) => [one.task, one.status ?? "unknown", size(one.bytes), one.epochs.join(", ")]),
            ]),
      ({ items }) => items.map(({ task }) => task),
    );
  },
});
