import { spanText } from "./span.ts";

interface Amount {
  readonly tokens?: number | undefined;
  readonly usd?: number | undefined;
  readonly turns?: number | undefined;
  readonly time_ms?: number | undefined;
}

/** `20000 tokens, 3 turns, 0.0031 USD, 2h`: what there is of it, nothing where there is none. */
export const amountText = ({ tokens = 0, turns = 0, usd = 0, time_ms = 0 }: Amount): string =>
  [
    ...(tokens === 0 ? [] : [`${tokens} tokens`]),
    ...(turns === 0 ? [] : [`${turns} turns`]),
    ...(usd === 0 ? [] : [`${usd.toFixed(4)} USD`]),
    ...(time_ms === 0 ? [] : [spanText(time_ms)]),
  ].join(", ");
