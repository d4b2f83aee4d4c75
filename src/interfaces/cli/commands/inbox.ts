import { z } from "zod";
import { command, option } from "../command.ts";
import { inboxLines } from "../inbox-text.ts";

export const inbox = command({
  args: z.strictObject({
    project: option(z.string().optional(), "PROJECT", "only of this project"),
    cursor: option(z.string().optional(), "CURSOR", "where the page before ended"),
    limit: option(
      z
        .string()
        .regex(/^\d{1,4}$/, "must be a number up to 1000")
        .transform(Number)
        .optional(),
      "N",
      "how many at most",
    ),
  }),
  async run({ project, cursor, limit }, { api, out }) {
    const found = await api.inbox({
      ...(project !== undefined && { project }),
      ...(cursor !== undefined && { cursor }),
      ...(limit !== undefined && { limit }),
    });
    out.result(
      found,
      (page) => inboxLines(page, Date.now()),
      ({ items }) => items.map(({ id }) => id),
    );
    if (found.items.length > 0) out.note("next: agentos inbox show ID; agentos inbox answer ID");
  },
});
