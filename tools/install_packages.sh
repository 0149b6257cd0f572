#!/bin/sh
# Installs the Debian packages that a task needs and that are missing; says which, and does nothing when none is.
# Usage: tools/install_packages.sh run|test|bench|fresh
set -eu

run='gcc libc6-dev make pkg-config libmicrohttpd-dev libjansson-dev libsqlite3-dev libpq-dev libsodium-dev libutf8proc-dev
	libcurl4-openssl-dev libssl-dev libglib2.0-dev tzdata ca-certificates'
# gcc brings the sanitizers' libraries (libgcc-12-dev), clang its own headers.
test='clang clang-format clang-tidy cppcheck shellcheck libcmocka-dev curl strace sqlite3 postgresql nodejs npm'

case "${1:-}" in
run) wanted="$run" ;;
test) wanted="$run $test" ;;
bench) wanted="$run wrk curl sqlite3 postgresql nodejs" ;;
fresh) wanted='debootstrap git' ;;
*)
	echo "usage: $0 run|test|bench|fresh" >&2
	exit 2
	;;
esac

cd "$(dirname "$0")/.."
if [ "$1" != fresh ] && { [ -e package.json ] || [ -e dashboard/package.json ]; }; then
	wanted="$wanted nodejs npm"
fi

# Any Node from 18 on will do, and it need not be Debian's, whose package would replace it by an older one.
node_is_enough() {
	major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) && [ "$major" -ge 18 ]
}

is_there() {
	case "$1" in
	nodejs) node_is_enough ;;
	npm) command -v npm >/dev/null ;;
	*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
	esac
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "This is no Debian: nothing was installed. Needed are the equivalents of:" $wanted >&2
	exit 0
fi

missing=
for package in $wanted; do
	is_there "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	as_root=sudo
	if ! command -v sudo >/dev/null; then
		echo "Missing packages:$missing" >&2
		echo "Install them as root, or run this again as root or with sudo installed." >&2
		exit 1
	fi
fi

apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

echo "Installing with apt:$missing"
# A mirror that cannot be reached need not be the one that holds what is missing.
apt update || echo "apt-get update failed; trying with the lists that are there" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! apt install --yes --no-install-recommends $missing >"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
echo "Installed:$missing"
