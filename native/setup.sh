#!/bin/sh
# Brings a machine to the point where every npm script works: system packages, npm packages, Node 24, the addons.
# Quick when nothing is missing. Says exactly what to install where it may not install it itself.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { for line; do say "$line"; done; exit 1; }

# Runs a command without a word; what it said is shown when it fails. Descriptor 9 is the lock, which no service that a
# package starts may inherit.
quietly() {
  output=$(mktemp)
  trap 'rm -f "$output"' EXIT
  trap 'exit 130' INT TERM HUP
  status=0
  "$@" > "$output" 2>&1 < /dev/null 9>&- || status=$?
  [ "$status" = 0 ] || cat "$output" >&2
  rm -f "$output"
  return "$status"
}

# One set-up at a time: a second one waits, and then finds everything done.
take_lock() {
  mkdir -p .setup 2>/dev/null && [ -w .setup ] && command -v flock > /dev/null || return 0
  exec 9> .setup/lock
  flock -n 9 || { say 'waiting for another set-up of this folder'; flock 9; }
}

has() { command -v "$1" > /dev/null; }
has_library() { has pkg-config && pkg-config --exists "$@"; }

# What is asked for is what will be used, not the name of a package: those differ between releases.
missing_packages() {
  has swtpm && has setpriv || printf '%s ' swtpm
  has swtpm_setup && has swtpm_localca || printf '%s ' swtpm-tools
  has softhsm2-util || printf '%s ' softhsm2
  # libtss2-dev brings the libraries and the TCTIs, which have a suffix (0, 0t64) that no two releases agree on.
  has_library tss2-esys tss2-mu tss2-rc tss2-tctildr || printf '%s ' libtss2-dev
  has tpm2_makecredential || printf '%s ' tpm2-tools
  has pkcs11-tool || printf '%s ' opensc
  for program in openssl curl pkg-config python3 make g++; do has "$program" || printf '%s ' "$program"; done
  [ -e /etc/ssl/certs/ca-certificates.crt ] || printf '%s ' ca-certificates
}

# How this user becomes root: nothing for root, sudo where it asks for no password or can ask for one.
root_prefix() {
  if [ "$(id -u)" = 0 ]; then return 0; fi
  if has sudo && sudo -n true 2> /dev/null; then printf 'sudo -n'; return 0; fi
  if has sudo && [ -t 0 ] && [ -t 2 ] && sudo -v; then printf 'sudo -n'; return 0; fi
  return 1
}

install_system_packages() {
  missing=$(missing_packages)
  [ -n "$missing" ] || return 0
  has apt-get || fail 'this is not Debian or Ubuntu. Install what these Debian packages hold, then run the command again:' \
    "  $missing"
  as_root=$(root_prefix) || fail 'system packages are missing and this user may not install them. Have an administrator run:' \
    "  apt-get update && apt-get install -y --no-install-recommends $missing"
  apt="$as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -o DPkg::Lock::Timeout=300"
  say "installing $missing"
  # shellcheck disable=SC2086
  quietly $apt update || say 'the package lists could not be refreshed; trying with those at hand'
  # shellcheck disable=SC2086
  quietly $apt install -y --no-install-recommends $missing || fail 'apt-get failed, see above' \
    'where a package is unknown on Ubuntu, universe is not enabled: add-apt-repository universe'
  missing=$(missing_packages)
  [ -z "$missing" ] || fail "still missing after the installation: $missing"
}

require_node() {
  has node && has npm || fail 'Node 20 or newer and npm are needed to begin with: https://nodejs.org/en/download'
  node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' ||
    fail "Node 20 or newer is needed to begin with; this is $(node --version)"
}

stamp_of() { sha256sum "$@" | sha256sum | cut -d' ' -f1; }

# Options that a user's or a machine's npm configuration may set otherwise.
npm_quietly() {
  quietly npm "$@" --global=false --bin-links=true --install-strategy=hoisted --include=dev --include=optional \
    --dry-run=false --no-fund --no-audit --loglevel=error
}

install_npm_packages() {
  stamp=$(stamp_of package.json package-lock.json)
  if [ "$(cat node_modules/.assay-npm 2> /dev/null)" = "$stamp" ] && [ -x node_modules/.bin/node ]; then return 0; fi
  require_node
  say 'installing npm packages (no install scripts run)'
  npm_quietly ci --ignore-scripts=true || fail 'npm ci failed, see above'
  say 'installing Node 24'
  npm_quietly rebuild node --ignore-scripts=false || fail 'the package of Node could not be installed, see above'
  node_modules/.bin/node --version > /dev/null || fail 'the Node that npm installed does not run on this machine'
  printf '%s' "$stamp" > node_modules/.assay-npm
}

# The headers lie beside the binary that the `node` package brought: nothing is fetched.
headers_of_node() {
  for headers in node_modules/node/node_modules/node-linux-*/include node_modules/node-linux-*/include; do
    if [ -f "$headers/node/node_api.h" ]; then (cd "$headers/.." && pwd) && return 0; fi
  done
  fail 'no headers beside the package of Node; begin again with: rm -rf node_modules'
}

# npm hands its configuration on as variables, and node-gyp would take a user's `nodedir` for the one given here.
npm_variables() { env | sed -n 's/^\([Nn][Pp][Mm]_[Cc][Oo][Nn][Ff][Ii][Gg]_[A-Za-z0-9_]*\)=.*/-u \1/p'; }

# Only what has changed is compiled, and the addon is there to be loaded meanwhile.
build_addon() {
  # shellcheck disable=SC2046
  (cd "$1" && PATH="$root/node_modules/.bin:$PATH" quietly env $(npm_variables) \
    node "$root/node_modules/node-gyp/bin/node-gyp.js" configure build --release --nodedir="$nodedir" --loglevel=error) ||
    fail "the addon in $1 could not be built, see above"
}

build_addons() {
  root=$PWD
  tpm2=native/build/Release/tpm2.node
  pkcs11=node_modules/pkcs11js/build/Release/pkcs11.node
  stamp=$({
    stamp_of native/setup.sh native/binding.gyp native/src/* package-lock.json /etc/os-release
    pkg-config --modversion tss2-esys
    uname -m
  } | stamp_of -)
  if [ "$(cat native/build/.assay-addon 2> /dev/null)" = "$stamp" ] && [ -f $tpm2 ] && [ -f $pkcs11 ]; then return 0; fi
  rm -f native/build/.assay-addon
  nodedir=$(headers_of_node)
  say 'building the addons (node-tpm2, pkcs11js)'
  build_addon native
  build_addon node_modules/pkcs11js
  printf '%s' "$stamp" > native/build/.assay-addon
}

take_lock
install_system_packages
install_npm_packages
build_addons
