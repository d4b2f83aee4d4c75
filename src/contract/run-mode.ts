import { z } from "zod";
import { RUN_MODES } from "../domain/spec.ts";

/** Apart from the inputs that have it too: every start of the CLI reads the settings, and few need all shapes there are. */
export const RunMode = z.enum(RUN_MODES);
