import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readJunit } from "./junit.ts";

const counts = (passed: number, failed = 0, skipped = 0, todo = 0) => ({ passed, failed, skipped, todo });

describe("a JUnit report", () => {
  test("counts each kind of case", () =>
    expect(
      readJunit(`<?xml version="1.0" encoding="UTF-8"?>
<!-- <testcase/> -->
<testsuites tests="6">
  <testsuite name="a &amp; b" tests='6'>
    <properties><property name="x" value="<testcase/>"/></properties>
    <testcase name="ok"/><testcase name="ok too" ><system-out><![CDATA[</testcase><failure/>]]></system-out></testcase>
    <testcase name="bad"><failure message="a > b">text</failure><failure/></testcase>
    <testcase name="worse"><error/></testcase>
    <testcase name="left out"><skipped/></testcase>
    <testcase name="later"><skipped type="todo"/><failure/></testcase>
    <testcase name="old" status="notrun"/>
    <testcase name="flaky"><flakyFailure/></testcase>
  </testsuite>
</testsuites>
<!-- tests 8 -->
`),
    ).toEqual(counts(3, 2, 2, 1)));

  test("counts a failure of a whole suite", () =>
    expect(readJunit("<testsuite><error>boom</error><testcase name='a'/></testsuite>")).toEqual(counts(1, 1)));

  test("without a case has no test", () => {
    expect(readJunit("<testsuites/>")).toEqual(counts(0));
    expect(readJunit('<testsuites name="x"></testsuites>')).toEqual(counts(0));
  });

  test("of node does not count a file that posed as a test", () =>
    expect(
      readJunit(`<testsuites>
<testcase name="/p/test/a.test.js" time="0.1" classname="test"/>
<testcase name="test/b.test.js" classname="test" file="/p/test/b.test.js"/>
<testcase name="reads other.js" classname="test" file="/p/test/b.test.js"/>
<testcase name="other.js" classname="test" file="/p/test/b.test.js"/></testsuites>`),
    ).toEqual(counts(2)));

  test.each([
    ["nothing", ""],
    ["text", "ok 1"],
    ["other XML", "<html><testcase/></html>"],
    ["text around", "x<testsuites/>"],
    ["two roots", "<testsuites/><testsuites/>"],
    ["crossed tags", "<testsuites><a><b></a></b></testsuites>"],
    ["an attribute without quotes", "<testsuites a=1/>"],
    ["a document type", '<!DOCTYPE x [<!ENTITY a "b">]><testsuites/>'],
    ["a document type inside", "<testsuites><!DOCTYPE x></testsuites>"],
    ["a cut comment", "<testsuites/><!-- "],
    ["more closing tags", "<testsuites/></testsuites>"],
  ])("is none with %s", (_, text) => expect(readJunit(text)).toBeNull());

  test("cut anywhere is none", () => {
    const whole =
      '<?xml version="1.0"?><testsuites a="1"><testcase name="x"/><!-- c --><testcase><![CDATA[y]]></testcase></testsuites>';
    for (let end = 0; end < whole.length; end++) expect(readJunit(whole.slice(0, end))).toBeNull();
    expect(readJunit(whole)).toEqual(counts(2));
  });

  test("with an entity bomb is refused before anything expands", () => {
    const bomb = `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">${Array.from({ length: 30 }, (_, i) => `<!ENTITY a${i} "&a${i - 1};&a${i - 1};">`).join("")}]><testsuites>&a29;</testsuites>`;
    expect(readJunit(bomb)).toBeNull();
  });

  test("never throws, whatever it is given", () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            "<testsuites>",
            "</testsuites>",
            "<testcase",
            "/>",
            ">",
            "<",
            " a='",
            "'",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<failure/>",
            "x",
            "=",
          ),
        ),
        (parts) => void readJunit(parts.join("")),
      ),
    ));

  test("made to be in the way is read in bounded time", () => {
    const before = performance.now();
    expect(readJunit(`<testsuites>${"<a>".repeat(3_000_000)}`)).toBeNull();
    expect(readJunit(`<testsuites>${"<testcase/>".repeat(900_000)}</testsuites>`)).toEqual(counts(900_000));
    expect(readJunit(`<testsuites ${"a ".repeat(5_000_000)}/>`)).toBeNull();
    expect(readJunit(`<testsuites>${"<!--".repeat(2_500_000)}`)).toBeNull();
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});
