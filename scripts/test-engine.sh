#!/bin/sh
# Installs what the tests with a real model engine need: llama.cpp, prebuilt, from the npm registry into test/engine/node_modules, exactly as
# test/engine/package-lock.json has it. Nothing of it is needed to use AgentOS; without it those tests are skipped and say so. Safe to run
# again and again; quick when there is nothing to do.
#   sh scripts/test-engine.sh
# Exit code 0: it is there, or there is none for this machine (only Linux on x64 has one), which is said. 1: npm could not install it.
set -u
umask 022

root=$(CDPATH='' cd -P -- "$(dirname "$0")/.." && pwd) || exit 1
place=$root/test/engine
cd "$place" || exit 1

say() { printf 'test-engine: %s\n' "$1" >&2; }

if [ "$(uname -s)-$(uname -m)" != Linux-x86_64 ]; then
  say "there is no prebuilt engine for $(uname -s) on $(uname -m); the tests that need one are skipped"
  exit 0
fi

# A stamp says from which lock file the packages came.
wanted=$(cksum <package-lock.json) || exit 1
if [ "$(cat node_modules/stamp 2>/dev/null)" = "$wanted" ]; then
  say "everything is there"
  exit 0
fi

say "installing llama.cpp from the npm registry into test/engine/node_modules"
mkdir -p "$root/.setup"
# The other platforms' engines are optional dependencies, hundreds of megabytes; the one for this machine is named in package.json.
if ! npm ci --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error >"$root/.setup/test-engine.log" 2>&1 </dev/null; then
  tail -n 20 "$root/.setup/test-engine.log" >&2
  say "npm could not install it"
  exit 1
fi
printf '%s\n' "$wanted" >node_modules/stamp
say "everything is there"
