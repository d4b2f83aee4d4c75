import { expect, test } from "vitest";
import { bytesOf, bytesOrNull, integerOf, integerOrNull, type Row, textOf, textOrNull } from "./database.ts";

const ROW: Row = { text: "a", integer: 3, real: 0.5, bytes: new Uint8Array([1]), nothing: null };

test("a cell is what it is asked for as", () => {
  expect([textOf(ROW, "text"), integerOf(ROW, "integer"), bytesOf(ROW, "bytes")]).toEqual([
    "a",
    3,
    new Uint8Array([1]),
  ]);
  expect([textOrNull(ROW, "nothing"), integerOrNull(ROW, "nothing"), bytesOrNull(ROW, "nothing")]).toEqual([
    null,
    null,
    null,
  ]);
});

test.each([
  [() => textOf(ROW, "integer"), "column integer holds number where text belongs"],
  [() => textOf(ROW, "nothing"), "column nothing holds null where text belongs"],
  [() => textOrNull(ROW, "gone"), "column gone holds nothing where text belongs"],
  [() => integerOf(ROW, "text"), "column text holds string where an integer belongs"],
  [() => integerOf(ROW, "real"), "column real holds number where an integer belongs"],
  [() => integerOf({ large: 2 ** 60 }, "large"), "column large holds number where an integer belongs"],
  [() => integerOf(ROW, "bytes"), "column bytes holds bytes where an integer belongs"],
  [() => bytesOf(ROW, "text"), "column text holds string where bytes belong"],
])("a cell that holds something else is somebody's bug (%#)", (read, message) => expect(read).toThrow(message));
