import type { Provider } from "../../domain/provider.ts";
import type { ProviderReads } from "../../ports/store.ts";
import { integerOf, type Queries, textOf } from "./database.ts";

/** By id also what was removed: its stream goes on when a provider of that name is added again. */
export function providerReads(queries: Queries): ProviderReads {
  return {
    async provider(id) {
      const [row] = await queries.query("SELECT state, seq FROM providers WHERE id = ?", [id]);
      return row === undefined
        ? null
        : { provider: JSON.parse(textOf(row, "state")) as Provider, seq: integerOf(row, "seq") };
    },

    async providers() {
      const rows = await queries.query("SELECT state FROM providers WHERE removed = 0 ORDER BY created_at_ms, id");
      return rows.map((row) => JSON.parse(textOf(row, "state")) as Provider);
    },
  };
}
