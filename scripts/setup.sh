#!/bin/sh
# Sets this checkout up: dependencies, the web page, the bundle that starts quickly, node_modules/.bin/agentos, and the two Debian packages that npm cannot bring.
# Safe to run again and again, and by several at once; quick when there is nothing to do.
#   sh scripts/setup.sh              what the CLI and the daemon need
#   sh scripts/setup.sh --for-tests  also Chromium, for the browser tests
#   sh scripts/setup.sh --name-bundle  says on stdout which directory of .setup is the bundle of these sources
# Exit code 0: everything is there. 1: something a person has to do is named on stderr.
set -u
umask 022

root=$(CDPATH='' cd -P -- "$(dirname "$0")/.." && pwd) || exit 1
cd "$root" || exit 1
state=.setup
stamp=$state/stamp
lock=$state/lock
log=$state/log

for_tests=no
name_bundle=no
for argument in "$@"; do
  case $argument in
    --for-tests) for_tests=yes ;;
    --name-bundle) name_bundle=yes ;;
    *)
      printf 'set-up: unknown option %s; there are --for-tests and --name-bundle\n' "$argument" >&2
      exit 2
      ;;
  esac
done

# `npm run` puts the bundled Node first on PATH. npm must not run on the very file that `npm ci` is about to delete.
clean=
rest=${PATH:-}:
while [ -n "$rest" ]; do
  entry=${rest%%:*}
  rest=${rest#*:}
  case $entry in
    '' | */node_modules/.bin | */node_modules/.bin/ | */node-gyp-bin) ;;
    *) clean=${clean:+$clean:}$entry ;;
  esac
done
PATH=$clean
export PATH

say() { printf 'set-up: %s\n' "$1" >&2; }

main() {
  # Whatever changes from here on is newer than the stamp that will have this time.
  began=$state/began.$$
  locked=no
  trap 'rm -f "$began"; [ "$locked" = yes ] && rm -f "$lock"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  mkdir -p "$state" 2>/dev/null
  # Not ours to write: then there is no stamp to keep either.
  { true >"$began"; } 2>/dev/null
  dependencies=$(digest_of "$(uname -s) $(uname -m)" package-lock.json .npmrc scripts/setup.sh)
  # What the page imports from src/contract are types, which leave nothing in the build.
  page=$(digest_of "$dependencies" web)
  if ! is_done; then
    if [ ! -w "$state" ] || [ ! -w . ]; then
      say "$(id -un) cannot write to $root; run this as the owner of that directory."
      exit 1
    fi
    take_lock
    locked=yes
    is_done || set_up_checkout
    rm -f "$lock"
    locked=no
  fi
  check_node
  bundle=$(with_own_node scripts/bundle.mjs </dev/null) || exit 1
  [ "$name_bundle" = yes ] && printf '%s\n' "$bundle"
  # The launcher compares times before it asks for a full look; same content means the stamp is right.
  if [ -e "$began" ]; then
    line="$dependencies $page $bundle"
    [ "$(cat "$stamp" 2>/dev/null)" = "$line" ] || write_stamp "$line"
    touch -c -r "$began" "$stamp" 2>/dev/null
  fi
  check_system_packages
}

is_done() {
  [ -e node_modules/.bin/agentos ] && [ -e node_modules/.package-lock.json ] && [ -e web/dist/index.html ] &&
    [ "$(cut -d ' ' -f 1,2 "$stamp" 2>/dev/null)" = "$dependencies $page" ]
}

set_up_checkout() {
  recorded=$(cat "$stamp" 2>/dev/null)
  if [ "${recorded%% *}" != "$dependencies" ] || [ ! -e node_modules/.package-lock.json ]; then
    if ! command -v npm >/dev/null 2>&1; then
      say "npm is not on PATH; install Node 22 or newer, npm comes with it: https://nodejs.org/en/download"
      exit 1
    fi
    rm -f "$stamp"
    # `npm ci` empties these directories first: through a link it would empty those of another checkout.
    for modules in node_modules web/node_modules; do
      [ -h "$modules" ] || continue
      say "$modules is a link to $(readlink "$modules"); the link is removed, and what it leads to stays"
      rm -f "$modules" || { say "cannot remove $root/$modules"; exit 1; }
    done
    say "installing dependencies (about a minute, only once)"
    # No install scripts: nothing here needs one, and better-sqlite3 would start a pointless native build.
    quietly "npm ci failed" npm ci --ignore-scripts --no-audit --no-fund
    link_own_node
  fi
  say "building the web page"
  quietly "building the web page failed" with_own_node node_modules/vite/bin/vite.js build web
  ln -sfn ../../agentos node_modules/.bin/agentos || { say "cannot write node_modules/.bin/agentos"; exit 1; }
  write_stamp "$dependencies $page" || { say "cannot write $root/$stamp"; exit 1; }
  say "ready: ./agentos --help"
}

write_stamp() {
  printf '%s\n' "$1" >"$stamp.$$" && mv -f "$stamp.$$" "$stamp"
}

# npm 10 installs the bundled Node without linking its command.
link_own_node() {
  for machine in x64 arm64; do
    if [ ! -e node_modules/.bin/node ] && [ -x node_modules/node-linux-$machine/bin/node ]; then
      ln -s ../node-linux-$machine/bin/node node_modules/.bin/node
    fi
  done
}

# One digest over a word and the names and bytes of files and folders; build output and dependencies left out.
digest_of() {
  word=$1
  shift
  {
    printf '%s\n' "$word"
    find "$@" \( -name dist -o -name node_modules \) -prune -o -type f -print | LC_ALL=C sort | while IFS= read -r file; do
      printf '%s\n' "$file"
      cat "$file"
    done
  } | if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -c 1-64
}

# Runs a command with its noise in a log that is shown only when it fails.
quietly() {
  complaint=$1
  shift
  if "$@" >"$log" 2>&1 </dev/null; then return 0; fi
  say "$complaint; all of it is in $root/$log:"
  # npm tells the reason first, compilers last.
  if [ "$(wc -l <"$log")" -le 40 ]; then cat "$log" >&2; else
    head -n 20 "$log" >&2
    printf '…\n' >&2
    tail -n 20 "$log" >&2
  fi
  exit 1
}

with_own_node() {
  if [ -x node_modules/.bin/node ]; then node_modules/.bin/node "$@"; else node "$@"; fi
}

# The bundled Node exists for Linux with glibc on x64 and arm64. Elsewhere the system's must do.
check_node() {
  if [ -x node_modules/.bin/node ] && node_modules/.bin/node -e 0 2>/dev/null; then return 0; fi
  version=$(node -p 'process.versions.node' 2>/dev/null) || version=
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  case $major in '' | *[!0-9]*) major=0 minor=0 ;; esac
  if [ "$major" -gt 22 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 14 ]; }; then return 0; fi
  say "no bundled Node for $(uname -s) $(uname -m), and the system's is ${version:-missing}; install Node 22.14 or newer: https://nodejs.org/en/download"
  exit 1
}

check_system_packages() {
  case $(uname -s) in
    Linux) ;;
    Darwin)
      say "macOS: AgentOS cannot run tasks here yet, because its sandbox (bubblewrap) exists on Linux only; the commands that only read work."
      return 0
      ;;
    *)
      say "$(uname -s): AgentOS cannot run tasks here, because its sandbox (bubblewrap) exists on Linux only."
      return 0
      ;;
  esac
  missing=
  command -v bwrap >/dev/null 2>&1 || missing=bubblewrap
  if [ "$for_tests" = yes ] && ! has_chromium; then missing=${missing:+$missing }chromium; fi
  [ -z "$missing" ] && return 0

  if ! command -v apt-get >/dev/null 2>&1; then
    say "missing: $missing. Install it with this system's package manager ($(package_line "$missing")) and run this again."
    exit 1
  fi
  if [ "$(id -u)" != 0 ]; then
    say "missing: $missing. Run: sudo apt-get install $missing"
    exit 1
  fi
  say "installing Debian's $missing"
  mkdir -p "$state"
  # Package lists are often empty in containers: the first try may fail for that alone.
  # shellcheck disable=SC2086 # $missing is a list of words
  install_packages $missing >"$log" 2>&1 </dev/null || {
    apt-get update >"$log" 2>&1 </dev/null
    quietly "apt-get install $missing failed" install_packages $missing
  }
}

install_packages() {
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@"
}

has_chromium() {
  command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1
}

package_line() {
  for manager in "dnf install" "zypper install" "pacman -S" "apk add" "nix-env -i"; do
    if command -v "${manager%% *}" >/dev/null 2>&1; then
      printf '%s %s' "$manager" "$1"
      return 0
    fi
  done
  printf 'package: %s' "$1"
}

# The lock is a symbolic link whose target is its owner, "pid:time the process began": it appears together with the
# owner's name in one step, so nobody ever sees a lock without an owner. A lock whose owner is gone is removed, and only
# inside a second lock: else two who saw the same dead owner could each remove the other's new one.
take_lock() {
  me=$$:$(began_at $$)
  waited=0
  while ! ln -s "$me" "$lock" 2>/dev/null; do
    owner=$(readlink "$lock") || continue
    if [ "$(began_at "${owner%%:*}")" != "${owner#*:}" ] && mkdir "$lock.breaking" 2>/dev/null; then
      [ "$(readlink "$lock")" = "$owner" ] && rm -f "$lock"
      rmdir "$lock.breaking"
      continue
    fi
    [ "$waited" -eq 0 ] && say "another set-up (process ${owner%%:*}) is running in $root; waiting for it"
    waited=$((waited + 1))
    if [ "$waited" -gt 600 ]; then
      say "waited 10 minutes for process ${owner%%:*}; if it is not a set-up, remove $root/$lock and $root/$lock.breaking"
      exit 1
    fi
    sleep 1
  done
}

# When a process began, in whatever words the system has; empty when there is none with that id.
began_at() {
  if [ -r /proc/self/stat ]; then
    line=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    # Field 22, counted after the name in parentheses, which may hold spaces.
    # shellcheck disable=SC2086 # split into words on purpose
    set -- ${line##*) }
    shift 19
    printf '%s' "$1"
  else
    ps -o lstart= -p "$1" 2>/dev/null | tr -d ' '
  fi
}

main
