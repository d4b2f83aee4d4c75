import { z } from "zod";

/** Any JSON value. One schema for all of them, because it holds itself: whoever describes it has to do so by name. */
export const Json = z.json();
