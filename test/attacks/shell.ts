/** One way around a rule on a program's name. Every run wants to make the file X, which lies outside of the workspace. */
export interface Evasion {
  readonly id: string;
  readonly what: string;
  /** `bash` where the trick is bash's own. */
  readonly shell: "sh" | "bash";
  /** Whether a `forbid` on the name `touch` must refuse it; a file can also be made without that program. */
  readonly deniedByName: boolean;
  /** Each with the program it cannot do without. */
  readonly runs: readonly (readonly [needs: string, run: (x: string) => string])[];
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

export const EVASIONS: readonly Evasion[] = [
  {
    id: "E01",
    what: "quotes taken away",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["touch", (x) => `t'o'u"c"h ${x}`],
      ["touch", (x) => `"touch" ${x}`],
      ["touch", (x) => `''touch '${x}'`],
    ],
  },
  {
    id: "E02",
    what: "a backslash inside the word, and one at a line's end",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["touch", (x) => `to\\uch ${x}`],
      ["touch", (x) => `tou\\\nch ${x}`],
      ["touch", (x) => `\\touch ${x}`],
    ],
  },
  {
    id: "E03",
    what: "put together from variables",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["touch", (x) => `a=tou;b=ch;$a$b ${x}`],
      ["touch", (x) => `a=touch; "$a" ${x}`],
      ["touch", (x) => `\${none:-touch} ${x}`],
      ["touch", (x) => `set -- touch ${x}; "$@"`],
      ["touch", (x) => `tou$()ch ${x}`],
    ],
  },
  {
    id: "E04",
    what: "put together from output",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["touch", (x) => `\`printf tou\`\`printf ch\` ${x}`],
      ["rev", (x) => `$(printf hcuot | rev) ${x}`],
      ["tr", (x) => `$(echo gbhpu | tr a-z n-za-m) ${x}`],
    ],
  },
  {
    id: "E05",
    what: "braces",
    shell: "bash",
    deniedByName: true,
    runs: [
      ["touch", (x) => `{touch,${x}}`],
      ["touch", (x) => `t{ouch,} ${x} ; t{,}ouch ${x}; {tou,}ch ${x}; touc{h,} ${x}`],
    ],
  },
  {
    id: "E06",
    what: "patterns for the program's path",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["touch", (x) => `/usr/bin/t[o]uch ${x}`],
      ["touch", (x) => `/???/???/t?uch ${x}`],
      ["touch", (x) => `/usr/bin/../bin/touch ${x}`],
    ],
  },
  {
    id: "E07",
    what: "decoded and piped",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["base64", (x) => `echo ${base64(`touch ${x}`)} | base64 -d | sh`],
      ["base64", (x) => `sh -c "$(echo ${base64(`touch ${x}`)} | base64 -d)"`],
      ["sed", (x) => `echo 'tXuch ${x}' | sed s/X/o/ | sh`],
    ],
  },
  {
    id: "E08",
    what: "escapes of printf and of $'…'",
    shell: "bash",
    deniedByName: true,
    runs: [
      ["touch", (x) => `$'\\x74ouch' ${x}`],
      ["touch", (x) => `$'\\164\\157uch' ${x}`],
      ["touch", (x) => `$(printf '\\x74\\x6f\\x75\\x63\\x68') ${x}`],
    ],
  },
  {
    id: "E09",
    what: "find that runs and writes",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["find", (x) => `find . -maxdepth 0 -exec touch ${x} \\;`],
      ["find", (x) => `find . -maxdepth 0 -execdir touch ${x} {} +`],
    ],
  },
  {
    id: "E10",
    what: "a function, an alias, eval, a written file, a trap",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["touch", (x) => `f() { touch "$@"; }; f ${x}`],
      ["touch", (x) => `eval 'tou''ch ${x}'`],
      ["touch", (x) => `trap 'touch ${x}' EXIT; exit 0`],
      ["touch", (x) => `alias y=touch\neval "y ${x}"`],
      ["mktemp", (x) => `f=$(mktemp); echo 'touch ${x}' > "$f"; . "$f"; rm -f "$f"`],
    ],
  },
  {
    id: "E11",
    what: "programs that run another one",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["env", (x) => `env -S "touch ${x}"`],
      ["env", (x) => `env -i A=b /usr/bin/touch ${x}`],
      ["nice", (x) => `nice -n 5 touch ${x}`],
      ["timeout", (x) => `timeout 9 touch ${x}`],
      ["nohup", (x) => `nohup touch ${x}`],
      ["setsid", (x) => `setsid -w touch ${x}`],
      ["stdbuf", (x) => `stdbuf -o0 touch ${x}`],
      ["touch", (x) => `command touch ${x}`],
      ["touch", (x) => `exec touch ${x}`],
      ["xargs", (x) => `echo ${x} | xargs touch`],
      ["script", (x) => `script -qc "touch ${x}" /dev/null`],
      ["ionice", (x) => `ionice touch ${x}`],
      ["chrt", (x) => `chrt -o 0 touch ${x}`],
      ["taskset", (x) => `taskset 1 touch ${x}`],
      ["flock", (x) => `flock /tmp touch ${x}`],
      ["setarch", (x) => `setarch -R touch ${x}`],
    ],
  },
  {
    id: "E12",
    what: "a copy of the program by another name",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["touch", (x) => `d=$(mktemp -d); cp "$(command -v touch)" "$d/t"; "$d/t" ${x}; rm -r "$d"`],
      ["touch", (x) => `d=$(mktemp -d); ln -s "$(command -v touch)" "$d/t"; "$d/t" ${x}; rm -r "$d"`],
    ],
  },
  {
    id: "E13",
    what: "sixty commands before it",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["touch", (x) => `${"true && ".repeat(60)}touch ${x}`],
      ["touch", (x) => `${"true; ".repeat(5_000)}touch ${x}`],
    ],
  },
  {
    id: "E14",
    what: "documents given to a shell",
    shell: "bash",
    deniedByName: true,
    runs: [
      ["sh", (x) => `sh <<END\ntouch ${x}\nEND`],
      ["sh", (x) => `sh <<< 'touch ${x}'`],
      ["bash", (x) => `bash <(echo touch ${x})`],
      ["bash", (x) => `. /dev/stdin <<< 'touch ${x}'`],
    ],
  },
  {
    id: "E15",
    what: "programs for text that write or run",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["sed", (x) => `echo a | sed '1e touch ${x}'`],
      ["sed", (x) => `echo a | sed -n 'w ${x}'`],
      ["awk", (x) => `awk 'BEGIN { system("touch ${x}") }'`],
      ["awk", (x) => `awk 'BEGIN { print "a" > "${x}" }'`],
      ["sort", (x) => `echo a | sort -o ${x}`],
      ["uniq", (x) => `echo a | uniq - ${x}`],
      ["tee", (x) => `echo a | tee ${x}`],
      ["dd", (x) => `dd if=/dev/null of=${x}`],
      ["find", (x) => `find . -maxdepth 0 -fprintf ${x} a`],
    ],
  },
  {
    id: "E16",
    what: "other programs that make a file",
    shell: "sh",
    deniedByName: false,
    runs: [
      ["cp", (x) => `cp /dev/null ${x}`],
      ["install", (x) => `install /dev/null ${x}`],
      ["ln", (x) => `ln -s /nowhere ${x}`],
      ["mkdir", (x) => `mkdir ${x}`],
      ["truncate", (x) => `truncate -s 1 ${x}`],
      ["mkfifo", (x) => `mkfifo ${x}`],
      ["split", (x) => `echo a | split - ${x}`],
      ["tar", (x) => `d=$(mktemp -d); : > "$d/f"; tar cf ${x} -C "$d" f; rm -r "$d"`],
      ["mktemp", (x) => `mktemp ${x}XXXX`],
    ],
  },
  {
    id: "E19",
    what: "programs that are languages",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["node", (x) => `node -e 'fs.writeFileSync("${x}", "")'`],
      ["perl", (x) => `perl -e 'open(my $f, ">", "${x}")'`],
      ["python3", (x) => `python3 -c 'open("${x}", "w")'`],
      ["make", (x) => `make -s --eval 'a: ; @touch ${x}' a`],
      ["ed", (x) => `printf '!touch ${x}\\nq\\n' | ed -s`],
      ["vim", (x) => `vim -es -c '!touch ${x}' -c 'q!'`],
      ["gdb", (x) => `gdb -batch -ex 'shell touch ${x}'`],
      ["git", (x) => `git -c alias.z='!touch ${x}' z`],
    ],
  },
  {
    id: "E20",
    what: "separators, subshells and comments around it",
    shell: "sh",
    deniedByName: true,
    runs: [
      ["touch", (x) => `true\ntouch ${x}`],
      ["touch", (x) => `false || touch ${x}`],
      ["touch", (x) => `touch ${x} & wait`],
      ["touch", (x) => `( ( touch ${x} ) )`],
      ["touch", (x) => `: # harmless\ntouch ${x} # also`],
      ["touch", (x) => `if touch ${x}; then :; fi`],
      ["touch", (x) => `! touch ${x}`],
      ["touch", (x) => `A=b >/dev/null touch ${x}`],
      ["touch", (x) => `echo "$(touch ${x})"`],
      ["touch", (x) => `case a in a) touch ${x};; esac`],
    ],
  },
  {
    id: "E21",
    what: "redirections alone",
    shell: "bash",
    deniedByName: true,
    runs: [
      ["sh", (x) => `>| ${x}`],
      ["sh", (x) => `exec 9>${x}`],
      ["sh", (x) => `: > ${x}`],
      ["sh", (x) => `echo a >> ${x}`],
      ["bash", (x) => `echo a &> ${x}`],
      ["sh", (x) => `cat <> ${x}`],
    ],
  },
];
