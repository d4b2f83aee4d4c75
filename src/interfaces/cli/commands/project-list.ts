import { z } from "zod";
import { columns } from "../columns.ts";
import { command } from "../command.ts";

export const projectList = command({
  args: z.strictObject({}),
  async run(_, { api, out }) {
    const found = await api.projects();
    out.result(
      found,
      ({ items }) =>
        items.length === 0
          ? ["no projects"]
          : columns([
              ["NAME", "ID", "REPOS"],
              ...items.map((one) => [one.name, one.id, one.repos.map(({ path }) => path).join(", ")]),
            ]),
      ({ items }) => items.map(({ id }) => id),
    );
  },
});
