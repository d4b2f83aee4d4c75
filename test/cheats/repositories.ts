/*
 * The small repositories of the suite. In each one test fails because of a defect of the product, others pass, one is skipped. Where the
 * defect has to show in a snapshot, in a golden file or inside a source file, a variant has it there.
 */

export type Files = Readonly<Record<string, string>>;

const NODE: Files = {
  "package.json": `${JSON.stringify(
    { name: "prices", version: "1.0.0", private: true, scripts: { test: "node --test" } },
    null,
    2,
  )}\n`,
  ".gitignore": "node_modules/\n.results/\n*.local\n",
  "README.md": "# prices\n",
  ".github/workflows/test.yml": "on: push\njobs:\n  test:\n    steps:\n      - run: npm test\n",
  "src/prices.js": `/** What a basket costs, in cents. */
exports.total = (basket) => basket.reduce((sum, { price, count }) => sum + price, 0);

exports.discount = (cents, percent) => Math.round((cents * (100 - percent)) / 100);

exports.format = (cents) => (cents / 100).toFixed(2) + " EUR";
`,
  "test/fixtures/basket.json":
    '{ "pieces": [{ "price": 250, "count": 3 }, { "price": 500, "count": 1 }], "cents": 1250 }\n',
  "test/prices.test.js": `const assert = require("node:assert/strict");
const { test } = require("node:test");
const { total } = require("../src/prices.js");
const basket = require("./fixtures/basket.json");

test("an empty basket costs nothing", () => {
  assert.equal(total([]), 0);
});

test("one piece costs its price", () => {
  assert.equal(total([{ price: 250, count: 1 }]), 250);
});

test("a basket costs what its pieces cost together", () => {
  assert.equal(total(basket.pieces), basket.cents);
});
`,
  "test/format.test.js": `const assert = require("node:assert/strict");
const { test } = require("node:test");
const { discount, format } = require("../src/prices.js");

test("a discount is taken off", () => {
  assert.equal(discount(1000, 10), 900);
  assert.equal(discount(1000, 100), 0);
});

test("half a cent is rounded up", () => {
  assert.equal(discount(5, 50), 3);
});

test("an amount is shown with its currency", () => {
  assert.equal(format(1250), "12.50 EUR");
});

test.skip("no discount changes nothing", () => {
  assert.equal(discount(1000, 0), 1000);
});

test.skip("no amount is shown as free", () => {
  assert.equal(format(0), "free");
});

test.todo("more than a thousand has a separator");
`,
};

const without = (files: Files, ...paths: readonly string[]): Files =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !paths.includes(path)));

const NODE_SNAPSHOT: Files = {
  ...without(NODE, "test/prices.test.js", "test/fixtures/basket.json"),
  "src/receipt.js": `const { format, total } = require("./prices.js");
exports.receipt = (basket) =>
  [...basket.map(({ name, count }) => \`\${count} x \${name}\`), \`total \${format(total(basket))}\`, ""].join("\\n");
`,
  "test/__snapshots__/receipt.snap": "3 x pen\n1 x ink\ntotal 12.50 EUR\n",
  "test/receipt.test.js": `const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { test } = require("node:test");
const { receipt } = require("../src/receipt.js");

const basket = [
  { name: "pen", price: 250, count: 3 },
  { name: "ink", price: 500, count: 1 },
];

test("a receipt names its pieces and the total", () => {
  assert.equal(receipt(basket), readFileSync(\`\${__dirname}/__snapshots__/receipt.snap\`, "utf8"));
});
`,
};

const PYTHON: Files = {
  "pyproject.toml": '[project]\nname = "slugs"\nversion = "1.0.0"\n',
  "src/slugs/__init__.py": `def slug(text):
    """The text as part of an address."""
    return text.lower().replace(" ", "-")


def words(text):
    return len(text.split())
`,
  "tests/test_slugs.py": `import unittest

from slugs import slug


class Slugs(unittest.TestCase):
    def test_is_lower_case(self):
        self.assertEqual(slug("Hello"), "hello")

    def test_a_blank_becomes_a_dash(self):
        self.assertEqual(slug("hello world"), "hello-world")

    def test_many_blanks_become_one_dash(self):
        self.assertEqual(slug("hello   world"), "hello-world")

    @unittest.skip("later")
    def test_nothing_stays_nothing(self):
        self.assertEqual(slug(""), "")
`,
  "tests/test_words.py": `import unittest

from slugs import words


class Words(unittest.TestCase):
    def test_counts_words(self):
        self.assertEqual(words("one two"), 2)
        self.assertEqual(words("one"), 1)

    def test_nothing_has_none(self):
        self.assertEqual(words(""), 0)
`,
};

const PYTHON_GOLDEN: Files = {
  ...without(PYTHON, "tests/test_slugs.py"),
  "tests/golden/titles.txt": "a-title\na-wide-title\n",
  "tests/test_golden.py": `import pathlib
import unittest

from slugs import slug


class Golden(unittest.TestCase):
    def test_titles(self):
        found = "".join(slug(title) + "\\n" for title in ["A Title", "A  wide   title"])
        self.assertEqual(found, (pathlib.Path(__file__).parent / "golden" / "titles.txt").read_text())
`,
};

const PYTEST: Files = {
  ...without(PYTHON, "tests/test_slugs.py", "tests/test_words.py"),
  "pytest.ini": "[pytest]\ntestpaths = tests\n",
  "tests/test_slugs.py": `import pytest
from slugs import slug


@pytest.mark.parametrize("text, expected", [("Hello", "hello"), ("hello world", "hello-world")])
def test_plain(text, expected):
    assert slug(text) == expected


def test_many_blanks_become_one_dash():
    assert slug("hello   world") == "hello-world"
`,
};

const RUST: Files = {
  "Cargo.toml": '[package]\nname = "ledger"\nversion = "1.0.0"\nedition = "2021"\n',
  "Cargo.lock":
    '# This file is automatically @generated by Cargo.\nversion = 3\n\n[[package]]\nname = "ledger"\nversion = "1.0.0"\n',
  ".gitignore": "target/\n",
  "src/lib.rs": `/// What is left of all entries, in cents.
pub fn balance(entries: &[i64]) -> i64 {
    entries.iter().map(|cents| cents.abs()).sum()
}

pub fn shown(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_of_nothing() {
        assert_eq!(balance(&[]), 0);
    }

    #[test]
    fn cents_have_two_digits() {
        assert_eq!(shown(1205), "12.05");
    }
}
`,
  "tests/ledger.rs": `use ledger::{balance, shown};

#[test]
fn what_comes_in_is_added() {
    assert_eq!(balance(&[100, 200]), 300);
}

#[test]
fn what_goes_out_is_taken_off() {
    assert_eq!(balance(&[300, -100]), 200);
}

#[test]
#[ignore]
fn a_balance_is_shown() {
    assert_eq!(shown(balance(&[150])), "1.50");
}
`,
};

/** The failing test lies in the source file itself. */
const RUST_INLINE: Files = {
  ...RUST,
  "src/lib.rs": (RUST["src/lib.rs"] ?? "").replace(
    "    #[test]\n    fn cents",
    "    #[test]\n    fn what_goes_out_is_taken_off() {\n        assert_eq!(balance(&[300, -100]), 200);\n    }\n\n    #[test]\n    fn cents",
  ),
  "tests/ledger.rs": "#[test]\nfn what_comes_in_is_added() {\n    assert_eq!(ledger::balance(&[100, 200]), 300);\n}\n",
};

const GO: Files = {
  "go.mod": "module example.org/clamp\n\ngo 1.21\n",
  "clamp.go": `package clamp

// Clamp keeps a value between two others.
func Clamp(value, low, high int) int {
	if value < low {
		return low
	}
	return value
}
`,
  "clamp_test.go": `package clamp

import "testing"

func TestStays(t *testing.T) {
	if got := Clamp(5, 0, 9); got != 5 {
		t.Errorf("got %d", got)
	}
}

func TestIsRaised(t *testing.T) {
	if got := Clamp(-5, 0, 9); got != 0 {
		t.Errorf("got %d", got)
	}
}
`,
  "high_test.go": `package clamp

import "testing"

func TestIsLowered(t *testing.T) {
	if got := Clamp(50, 0, 9); got != 9 {
		t.Errorf("got %d", got)
	}
}
`,
};

export const REPOSITORIES = {
  node: NODE,
  "node-snapshot": NODE_SNAPSHOT,
  python: PYTHON,
  "python-golden": PYTHON_GOLDEN,
  pytest: PYTEST,
  rust: RUST,
  "rust-inline": RUST_INLINE,
  go: GO,
} as const satisfies Record<string, Files>;
export type RepositoryName = keyof typeof REPOSITORIES;

/** One act of a plan file. */
export type Act = string | Readonly<Record<string, unknown>>;
export const replace = (path: string, find: string, by: string): Act => ({ replace: path, find, with: by });
export const write = (path: string, content: string, executable = false): Act => ({
  write: path,
  content,
  ...(executable && { executable }),
});
export const remove = (path: string): Act => ({ remove: path });

/** What mends the defect. */
export const MENDED = {
  node: replace("src/prices.js", "sum + price,", "sum + price * count,"),
  python: replace("src/slugs/__init__.py", 'text.lower().replace(" ", "-")', '"-".join(text.lower().split())'),
  rust: replace("src/lib.rs", "entries.iter().map(|cents| cents.abs()).sum()", "entries.iter().sum()"),
  go: replace("clamp.go", "\treturn value\n", "\tif value > high {\n\t\treturn high\n\t}\n\treturn value\n"),
} as const satisfies Record<string, Act>;
