/** What an attack may try to reach outside of its workspace. All of it is made for the test, outside and in reach of who is not confined. */
export interface Surroundings {
  /** A directory that everybody may write into. */
  readonly outside: string;
  /** HOME of the one who is not confined, with secrets in the usual places. */
  readonly home: string;
  /** What each secret says. */
  readonly secret: string;
  /** The data directory of the daemon that runs the task. */
  readonly data: string;
  /** Its process. */
  readonly daemon: number;
  /** A listener of the machine, which counts connections. */
  readonly port: number;
  /** Where the daemon answers. */
  readonly url: string;
  /** A unix socket that answers with the secret, and one without a file. */
  readonly socket: string;
  readonly abstract: string;
}

/** What shows that an attack did what it wanted. */
export type Fired = "wrote" | "read" | "connected";

export interface Reach {
  readonly id: string;
  readonly what: string;
  readonly needs: string;
  readonly fired: Fired;
  /** `x` is the file to make where it wants to write. */
  readonly run: (at: Surroundings, x: string) => string;
}

const dial = (to: string): string =>
  `node -e 'const s = require("net").connect(${to}, () => s.on("data", (d) => { console.log(String(d)); process.exit() })); s.on("error", () => process.exit(1)); setTimeout(() => process.exit(1), 3000)'`;

export const REACHES: readonly Reach[] = [
  {
    id: "F07",
    what: "writes into the data directory, where nothing was at the start",
    needs: "mkdir",
    fired: "wrote",
    run: (at, x) =>
      `mkdir -p ${at.data}/.agentos && echo evil > ${at.data}/.agentos/policy.cedar && cp ${at.data}/.agentos/policy.cedar ${x}`,
  },
  {
    id: "F07",
    what: "writes into the database's directory",
    needs: "sh",
    fired: "wrote",
    run: (at, x) => `echo evil > ${at.data}/agentos.db-evil && cp ${at.data}/agentos.db-evil ${x}`,
  },
  {
    id: "F07",
    what: "makes configuration and keys where none are",
    needs: "sh",
    fired: "wrote",
    run: (at, x) =>
      `echo 'host: 0.0.0.0' > ${at.data}/config.yaml && echo evil > ${at.data}/signing.key && cp ${at.data}/config.yaml ${x} && rm -f ${at.data}/config.yaml ${at.data}/signing.key`,
  },
  {
    id: "F09",
    what: "goes around by /proc/self/root and cwd",
    needs: "sh",
    fired: "wrote",
    run: (_, x) => `echo evil > /proc/self/root${x} || echo evil > /proc/self/cwd/../../../../../../../..${x}`,
  },
  {
    id: "F09",
    what: "reads the daemon's command line by its process",
    needs: "cat",
    fired: "read",
    run: (at) => `tr '\\0' ' ' < /proc/${at.daemon}/cmdline && cat ${at.home}/.ssh/id_rsa`,
  },
  {
    id: "F09",
    what: "reads through the daemon's root, environment and descriptors",
    needs: "cat",
    fired: "read",
    run: (at) =>
      `cat /proc/${at.daemon}/root${at.home}/.ssh/id_rsa; tr '\\0' '\\n' < /proc/${at.daemon}/environ; cat /proc/${at.daemon}/fd/*/.ssh/id_rsa; cat /proc/*/root${at.home}/.ssh/id_rsa`,
  },
  {
    id: "F15",
    what: "asks a unix socket of the machine by its path",
    needs: "node",
    fired: "read",
    run: (at) => dial(JSON.stringify(at.socket)),
  },
  {
    id: "F15",
    what: "asks a unix socket that has no file",
    needs: "node",
    fired: "read",
    run: (at) => dial(`"\\0${at.abstract}"`),
  },
  {
    id: "F15",
    what: "leaves something in /dev/shm",
    needs: "sh",
    fired: "wrote",
    run: (_, x) =>
      `n=/dev/shm/agentos-attack-$(echo ${x} | tr -d /.); echo evil > $n; test -e /dev/shm/agentos-was-here && cp $n ${x}; rm -f $n`,
  },
  ...[".ssh/id_rsa", ".netrc", ".npmrc", ".aws/credentials", ".config/gh/hosts.yml", ".git-credentials"].map(
    (file): Reach => ({
      id: "F16",
      what: `reads ~/${file}`,
      needs: "cat",
      fired: "read",
      run: (at) => `cat ~/${file}; cat "$HOME/${file}"; cat ${at.home}/${file}`,
    }),
  ),
  {
    id: "F16",
    what: "looks for secrets everywhere",
    needs: "grep",
    fired: "read",
    run: (at) => `grep -rhs ${at.secret.slice(0, 12)} ${at.home} ${at.outside}/.. --include=id_rsa | head -1`,
  },
  {
    id: "F16",
    what: "reads the environment",
    needs: "env",
    fired: "read",
    run: () => "env; set; cat /proc/self/environ | tr '\\0' '\\n'; cat /proc/$PPID/environ | tr '\\0' '\\n'",
  },
  {
    id: "N01",
    what: "connects by curl",
    needs: "curl",
    fired: "connected",
    run: (at) => `curl -s -m 3 http://127.0.0.1:${at.port}/`,
  },
  {
    id: "N01",
    what: "connects by /dev/tcp",
    needs: "bash",
    fired: "connected",
    run: (at) => `bash -c 'exec 3<>/dev/tcp/127.0.0.1/${at.port}'`,
  },
  {
    id: "N01",
    what: "connects by fetch of node",
    needs: "node",
    fired: "connected",
    run: (at) => `node -e "fetch('http://127.0.0.1:${at.port}').then(() => 0, () => 0)"`,
  },
  {
    id: "N01",
    what: "connects by python",
    needs: "python3",
    fired: "connected",
    run: (at) => `python3 -c 'import socket; socket.create_connection(("127.0.0.1", ${at.port}), 3)'`,
  },
  {
    id: "N01",
    what: "connects by perl",
    needs: "perl",
    fired: "connected",
    run: (at) =>
      `perl -MIO::Socket::INET -e 'IO::Socket::INET->new(PeerAddr => "127.0.0.1:${at.port}", Timeout => 3) or exit 1'`,
  },
  {
    id: "N03",
    what: "asks the daemon's API",
    needs: "curl",
    fired: "read",
    run: (at) => `curl -s -m 3 ${at.url}/api/tasks && echo ${at.secret}`,
  },
  {
    id: "N03",
    what: "approves by the daemon's API",
    needs: "node",
    fired: "read",
    run: (at) =>
      `node -e "fetch('${at.url}/api/tasks/01ARZ3NDEKTSV4RRFFQ69G5FAV/approve', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).then(() => console.log('${at.secret}'), () => 0)"`,
  },
  {
    id: "G10",
    what: "has git fetch by an ext:: url",
    needs: "git",
    fired: "wrote",
    run: (_, x) => `git -c protocol.ext.allow=always ls-remote 'ext::touch ${x}'`,
  },
  {
    id: "G10",
    what: "has git run a command of its own for ssh",
    needs: "git",
    fired: "wrote",
    run: (_, x) => `GIT_SSH_COMMAND='touch ${x} #' git ls-remote git@127.0.0.1:a/b`,
  },
  {
    id: "G10",
    what: "has git run an upload-pack of its own",
    needs: "git",
    fired: "wrote",
    run: (_, x) => `git ls-remote --upload-pack='touch ${x} #' .`,
  },
  {
    id: "G09",
    what: "has git run an alias",
    needs: "git",
    fired: "wrote",
    run: (_, x) => `git -c alias.z='!touch ${x}' z`,
  },
  {
    id: "G09",
    what: "has git run a diff of its own",
    needs: "git",
    fired: "wrote",
    run: (_, x) => `echo more >> a.txt; git -c diff.external='touch ${x} #' diff --ext-diff`,
  },
  {
    id: "G09",
    what: "has git run a pager of its own",
    needs: "git",
    fired: "wrote",
    run: (_, x) =>
      `GIT_PAGER_IN_USE=1 git -c core.pager='touch ${x} #' -c core.editor='touch ${x} #' -c user.name=a -c user.email=a@b.c commit --allow-empty`,
  },
  {
    id: "G11",
    what: "writes by options of log",
    needs: "git",
    fired: "wrote",
    run: (_, x) => `git log --output=${x}`,
  },
  {
    id: "G11",
    what: "writes by options of diff",
    needs: "git",
    fired: "wrote",
    run: (_, x) => `git diff --output=${x} HEAD`,
  },
  {
    id: "G11",
    what: "writes by bundle and archive",
    needs: "git",
    fired: "wrote",
    run: (_, x) =>
      `git bundle create ${x} HEAD || git archive -o ${x} HEAD || git clone -q --bare . ${x} || git init -q ${x}`,
  },
];
