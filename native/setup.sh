#!/bin/sh
# Brings a machine to the point where every npm script works: system packages, npm packages, Node 24, the addons.
# Quick when nothing is missing. Says exactly what to install where it may not install it itself.
set -eu
cd "$(dirname "$0")/.."

packages='swtpm swtpm-tools softhsm2 libtss2-dev libtss2-tcti-swtpm0 libtss2-tcti-device0 tpm2-tools opensc openssl curl pkg-config python3 make g++ ca-certificates'

say() { printf 'setup: %s\n' "$*" >&2; }

missing_packages() {
  for package in $packages; do
    status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
    [ "$status" = 'install ok installed' ] || printf '%s ' "$package"
  done
}

install_system_packages() {
  command -v dpkg-query >/dev/null || {
    say 'this is not Debian or Ubuntu. Install what these packages hold, then run the command again:'
    say "  $packages"
    exit 1
  }
  # libtss2-tcti-* carry a t64 or .0 suffix on some releases; where the plain name is unknown, libtss2-dev brings them.
  wanted=''
  for package in $(missing_packages); do
    if apt-cache show "$package" >/dev/null 2>&1; then wanted="$wanted $package"; fi
  done
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" = 0 ]; then root=''
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then root='sudo'
  else
    say 'system packages are missing and this user may not install them. Have an administrator run:'
    say "  apt-get update && apt-get install -y --no-install-recommends $missing"
    exit 1
  fi
  say "installing $missing"
  $root apt-get update -qq >&2
  wanted=''
  for package in $missing; do
    case $package in
      libtss2-tcti-*) apt-cache show "$package" >/dev/null 2>&1 || continue ;;
    esac
    wanted="$wanted $package"
  done
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $wanted >&2
}

stamp_of() { cat "$@" 2>/dev/null | sha256sum | cut -d' ' -f1; }

install_npm_packages() {
  stamp=$(stamp_of package.json package-lock.json)
  if [ "$(cat node_modules/.assay-npm 2>/dev/null)" = "$stamp" ] && [ -x node_modules/.bin/node ]; then return 0; fi
  say 'installing npm packages (no install scripts run)'
  npm ci --ignore-scripts --include=dev --no-fund --no-audit --loglevel=error >&2
  say 'installing Node 24'
  npm rebuild node --loglevel=error >&2
  node_modules/.bin/node --version >/dev/null
  printf '%s' "$stamp" > node_modules/.assay-npm
}

build_addons() {
  node=$(readlink -f node_modules/.bin/node)
  stamp=$(stamp_of native/setup.sh native/binding.gyp native/src/* package-lock.json)
  if [ "$(cat native/build/.assay-addon 2>/dev/null)" = "$stamp" ] && [ -d node_modules/pkcs11js/build ]; then return 0; fi
  # The headers lie beside the binary that the `node` package brought: nothing is fetched.
  for headers in node_modules/node-linux-*/include node_modules/node/node_modules/node-linux-*/include "$(dirname "$node")/../include"; do
    [ -f "$headers/node/node_api.h" ] && nodedir=$(cd "$headers/.." && pwd) && break
  done
  [ -n "${nodedir:-}" ] || { say 'no Node headers found beside the node package; reinstall with: rm -rf node_modules'; exit 1; }
  say 'building the addons (node-tpm2, pkcs11js)'
  PATH="$PWD/node_modules/.bin:$PATH"
  gyp="$PWD/node_modules/node-gyp/bin/node-gyp.js"
  (cd native && "$node" "$gyp" configure build --nodedir="$nodedir" --loglevel=error >&2)
  (cd node_modules/pkcs11js && "$node" "$gyp" configure build --nodedir="$nodedir" --loglevel=error >&2)
  printf '%s' "$stamp" > native/build/.assay-addon
}

install_system_packages
install_npm_packages
build_addons
