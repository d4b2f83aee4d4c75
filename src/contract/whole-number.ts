import { z } from "zod";

const SAYS = "must be a whole number";

/** A number in the text of an address. */
export const WholeNumber = z.coerce.number(SAYS).int(SAYS);
