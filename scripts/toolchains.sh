#!/bin/sh
# Installs what the tests of other ecosystems than this project's own need: Debian's packages of Go, Python, Java, Ruby and PHP tools, the ssh
# server that the tests of remote repositories start for themselves, and
# pnpm, yarn and bun from the npm registry into .setup/toolchains. Nothing of it is needed to use AgentOS; without it those tests are
# skipped and say what is missing. Safe to run again and again; quick when there is nothing to do.
#   sh scripts/toolchains.sh
# Exit code 0: everything is there. 1: something could not be installed; it is named on stderr. Rust is not installed here: a rustup or
# Debian's cargo on PATH is used.
set -u
umask 022

root=$(CDPATH='' cd -P -- "$(dirname "$0")/.." && pwd) || exit 1
cd "$root" || exit 1

debian='golang-go python3-pytest ruby ruby-rspec ruby-minitest rake php-cli php-xml php-mbstring phpunit maven libsurefire-java
libmaven-resources-plugin-java libmaven-compiler-plugin-java junit4 gradle make perl openssh-server'
# Into one prefix each: both yarns call their command `yarn`.
tools='pnpm@10.20.0 yarn@1.22.22 bun@1.4.5'
berry='@yarnpkg/cli-dist@4.18.1'
place=.setup/toolchains

say() { printf 'toolchains: %s\n' "$1" >&2; }

failed=0

missing=
if command -v dpkg-query >/dev/null 2>&1; then
  for package in $debian; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="${missing:+$missing }$package"
  done
  if ! command -v cargo >/dev/null 2>&1 && [ ! -x "${HOME:-/nonexistent}/.cargo/bin/cargo" ]; then missing="${missing:+$missing }cargo"; fi
else
  say "this is no Debian; install these tools with its own package manager: go pytest ruby rspec minitest rake php phpunit maven gradle cargo"
fi
if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ]; then
    say "run: sudo apt-get install --no-install-recommends $missing"
    failed=1
  else
    say "installing Debian's $missing"
    mkdir -p .setup
    # shellcheck disable=SC2086 # $missing is a list of words
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing; } \
      >.setup/toolchains.log 2>&1 </dev/null; then
      tail -n 20 .setup/toolchains.log >&2
      say "apt-get could not install all of it; its output is in $root/.setup/toolchains.log"
      failed=1
    fi
  fi
fi

# $1: prefix; the rest: packages with their exact versions. A stamp says what lies there.
from_npm() {
  prefix=$1
  shift
  [ "$(cat "$prefix/stamp" 2>/dev/null)" = "$*" ] && return 0
  say "installing $* from the npm registry into $prefix"
  rm -rf "$prefix"
  mkdir -p "$prefix"
  if npm install --global --prefix "$prefix" --no-audit --no-fund --loglevel=error "$@" >.setup/toolchains-npm.log 2>&1 </dev/null; then
    printf '%s\n' "$*" >"$prefix/stamp"
  else
    tail -n 20 .setup/toolchains-npm.log >&2
    say "npm could not install $*"
    failed=1
  fi
}

# shellcheck disable=SC2086 # lists of words
from_npm "$place/main" $tools
from_npm "$place/berry" $berry
[ "$failed" -eq 0 ] && say "everything is there"
exit "$failed"
