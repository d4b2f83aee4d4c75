import { z } from "zod";
import type { Pieces, TurnClient } from "../../ports/foreign.ts";

/** Of a line that is no message. */
const LINE_MAX = 10_000;

const Chunk = z.looseObject({
  method: z.literal("session/update"),
  params: z.looseObject({
    update: z.looseObject({
      sessionUpdate: z.string().endsWith("_chunk"),
      content: z.looseObject({ text: z.string() }),
    }),
  }),
});
type Chunk = z.infer<typeof Chunk>;

/**
 * What an agent says, as it is heard for the record. A text that it says in chunks is joined over them: what may be the beginning of a secret
 * stands in the chunk after, so that one which is spread over two is found.
 */
export function joined({ hear, redact, pieces }: Pick<TurnClient, "hear" | "redact" | "pieces">) {
  const texts = new Map<string, { readonly text: Pieces; last: Chunk }>();
  return {
    hear(from: "agent" | "client", message: unknown, invalid: string | null): void {
      const chunk = from === "agent" && invalid === null ? Chunk.safeParse(message).data : undefined;
      if (chunk === undefined) {
        const isLine = typeof message === "string";
        hear(from, isLine ? redact(message).slice(0, LINE_MAX).toWellFormed() : message, invalid);
        return;
      }
      const kind = chunk.params.update.sessionUpdate;
      const open = texts.get(kind) ?? { text: pieces(), last: chunk };
      open.last = chunk;
      texts.set(kind, open);
      hear(from, saying(chunk, open.text.add(chunk.params.update.content.text)), null);
    },
    /** Nothing more is said: what still waited is heard as one more chunk. */
    end(): void {
      for (const { text, last } of texts.values()) {
        const rest = text.rest();
        if (rest !== "") hear("agent", saying(last, rest), null);
      }
    },
  };
}

const saying = (chunk: Chunk, text: string): Chunk => {
  const { params } = chunk;
  const { update } = params;
  return { ...chunk, params: { ...params, update: { ...update, content: { ...update.content, text } } } };
};
