import { cargo } from "./cargo.ts";
import type { Ecosystem } from "./ecosystem.ts";
import { go } from "./go.ts";
import { gradle } from "./gradle.ts";
import { javascript } from "./javascript.ts";
import { make } from "./make.ts";
import { maven } from "./maven.ts";
import { perl } from "./perl.ts";
import { php } from "./php.ts";
import { python } from "./python.ts";
import { ruby } from "./ruby.ts";

/** Every kind of project that is recognised, in the order in which gates are shown and run. */
export const ECOSYSTEMS = {
  javascript,
  python,
  go,
  cargo,
  maven,
  gradle,
  ruby,
  php,
  perl,
  make,
} as const satisfies Readonly<Record<string, Ecosystem>>;
