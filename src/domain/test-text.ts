/*
 * What a test file declares, read from its text alone: which tests, how much each of them checks, and what is passed over. It is read to
 * notice that something is gone, never to prove that something is there: proof is a run.
 */

export interface DeclaredTest {
  readonly name: string;
  readonly assertions: number;
  /** Its text without blanks, to be compared. */
  readonly text: string;
}

export interface Declared {
  readonly tests: readonly DeclaredTest[];
  /** Marks by which a test is passed over or expected to fail. */
  readonly skips: number;
}

interface Language {
  readonly files: RegExp;
  readonly comments: RegExp;
  /** Its last group that is there is the test's name. */
  readonly test: RegExp;
  readonly skip: RegExp;
  readonly assertion: RegExp;
}

const SLASHES = /\/\*[\s\S]*?\*\/|^[ \t]*\/\/(?!go:build).*$/gm;

const LANGUAGES: readonly Language[] = [
  {
    files: /\.[cm]?[jt]sx?$/,
    comments: SLASHES,
    test: /(?<![\w.])x?(?:test|it|specify|fit)(?:\.(?:only|skip|todo|failing|fails|concurrent|serial))*(?:\.each\b[\s\S]{0,500}?\))?\s*\(\s*(?:"((?:\\.|[^"\\\n])*)"|'((?:\\.|[^'\\\n])*)'|`((?:\\.|[^`\\])*)`)/g,
    skip: /\.(?:skip|todo|failing|fails|skipIf|runIf)\b|(?<![\w.])x(?:it|test|describe|specify)\b|(?<![\w.])(?:skip|todo)\s*:\s*(?!false\b)/g,
    assertion:
      /(?<![\w$])(?:assert|expect|strictEqual|deepEqual|deepStrictEqual|throws|rejects|ok|should|t)(?:\.\w+)*\s*\(|\.should\b/g,
  },
  {
    files: /\.py$/,
    comments: /^[ \t]*#.*$/gm,
    test: /^[ \t]*(?:async[ \t]+)?def[ \t]+(test\w*)[ \t]*\(/gm,
    skip: /@(?:unittest\.)?(?:skip\w*|expectedFailure)\b|@?pytest\.(?:mark\.)?(?:skip\w*|xfail|importorskip)\b|\bskipTest\(|\bSkipTest\b|__test__\s*=\s*False/g,
    assertion: /(?<![\w.])assert\b|\.assert\w+\(|\.fail\(|\braises\(/g,
  },
  {
    files: /\.rs$/,
    comments: SLASHES,
    test: /#\[(?:\w+::)*test\b[^\]]*\](?:\s*#\[[^\]]*\])*\s*(?:pub\s+)?(?:async\s+)?fn\s+(\w+)/g,
    skip: /#\[ignore\b/g,
    assertion: /\b(?:debug_)?assert\w*!|\bpanic!|\bprop_assert\w*!/g,
  },
  {
    files: /\.go$/,
    comments: SLASHES,
    test: /^func[ \t]+((?:Test|Fuzz|Example)\w*)\(/gm,
    skip: /\.Skip(?:f|Now)?\(|^\/\/go:build\b.*$/gm,
    assertion: /\b\w+\.(?:Errorf?|Fatalf?|Fail|FailNow)\(|\b(?:assert|require)\.\w+\(/g,
  },
  {
    files: /\.(?:java|kt|scala)$/,
    comments: SLASHES,
    test: /@(?:Test|ParameterizedTest|RepeatedTest)\b[\s\S]{0,300}?\b(\w+)\s*\(\s*\)/g,
    skip: /@(?:Disabled|Ignore)\b|\bassume\w*\(/g,
    assertion: /\bassert\w*\s*\(|\bverify\(|\bfail\(/g,
  },
  {
    files: /\.rb$/,
    comments: /^[ \t]*#.*$/gm,
    test: /^[ \t]*(?:def (test_\w+)|(?:it|specify|test)\s+["']([^"'\n]*)["'])/gm,
    skip: /^[ \t]*(?:xit|xdescribe|pending|skip)\b/gm,
    assertion: /\b(?:assert\w*|refute\w*|must_\w+|expect)\b/g,
  },
  {
    files: /\.php$/,
    comments: SLASHES,
    test: /function\s+(test\w+)\s*\(/g,
    skip: /\bmark(?:TestSkipped|TestIncomplete)\(/g,
    assertion: /->assert\w+\(|::assert\w+\(|->expect\w+\(/g,
  },
];

const NOTHING: Declared = { tests: [], skips: 0 };

/** What a file of that path declares; nothing where its language is not known here, or there is no text. */
export function declaredIn(path: string, text: string | null): Declared {
  const language = LANGUAGES.find(({ files }) => files.test(path));
  if (language === undefined || text === null) return NOTHING;
  const bare = text.replace(language.comments, "");
  const found = [...bare.matchAll(language.test)];
  const tests = found.map((match, at) => {
    const body = bare.slice(match.index, found[at + 1]?.index ?? bare.length);
    const name = match.slice(1).findLast((group) => group !== undefined) ?? "";
    return { name, assertions: [...body.matchAll(language.assertion)].length, text: body.replace(/\s+/g, "") };
  });
  return { tests, skips: [...bare.matchAll(language.skip)].length };
}

/** Tests inside a source file of Rust, each with the text of its function alone. */
export function inlineTests(path: string, text: string | null): readonly DeclaredTest[] {
  if (!path.endsWith(".rs") || text === null) return [];
  return declaredIn(path, text).tests.map((one) => ({ ...one, text: functionOf(one.text) }));
}

/** Up to the brace that closes the first one; the rest belongs to others. */
function functionOf(text: string): string {
  let depth = 0;
  for (let at = text.indexOf("{"); at !== -1 && at < text.length; at += 1) {
    if (text[at] === "{") depth += 1;
    if (text[at] === "}") depth -= 1;
    if (depth === 0) return text.slice(0, at + 1);
  }
  return text;
}
