#!/bin/bash
# Are the README's two commands enough on a new Debian? Makes one that holds only git and make, clones the last commit
# into it, and calls `make run` and `make test` there. Mirror, keys, proxy and CA bundle are this machine's own.
# `make run` comes first: behind `make test` it would find every package installed.
# Usage: tests/fresh.sh      as root
set -u

suite=bookworm
here=$(cd "$(dirname "$0")/.." && pwd)
script=$here/tests/fresh.sh

fail() {
	echo "fresh: $*" >&2
	exit 1
}

# Prints the address and the keyring of the first enabled source of Debian itself that is not the security archive.
find_mirror() {
	local file
	shopt -s nullglob
	for file in /etc/apt/sources.list.d/*.sources; do
		awk -v RS= -v suite="$suite" '
		{
			split("", field)
			count = split($0, lines, "\n")
			for (i = 1; i <= count; i++) {
				colon = index(lines[i], ":")
				if (colon > 1 && lines[i] !~ /^[# \t]/)
					field[tolower(substr(lines[i], 1, colon - 1))] = substr(lines[i], colon + 1)
			}
			split(field["uris"], uris, " ")
			if (tolower(field["enabled"]) !~ /no/ && (field["types"] " ") ~ /deb[ \t]/ &&
				(field["suites"] " ") ~ ("[ \t]" suite "[ \t]") && uris[1] !~ /security/)
				print uris[1], field["signed-by"]
		}' "$file"
	done
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -e "$file" ] || continue
		awk -v suite="$suite" '
		$1 == "deb" {
			signed = ""
			if (match($0, /signed-by=[^] ]*/))
				signed = substr($0, RSTART + 10, RLENGTH - 10)
			sub(/\[[^]]*\]/, "")
			if ($3 == suite && $2 !~ /security/)
				print $2, signed
		}' "$file"
	done
}

# Whatever apt, curl, git and npm need here to reach anything, they need there too.
copy_configuration() {
	local root=$1 file registry cafile
	shopt -s nullglob
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources}; do
		if [ -e "$file" ] && grep -Eq "^(deb .*[ \t]|Suites:(.*[ \t])?)$suite(-updates|-security)?([ \t]|\$)" "$file"; then
			# debootstrap wrote one of its own, which would now say everything twice.
			[ -n "${copied:-}" ] || rm -f "$root/etc/apt/sources.list"
			local copied=yes
			cp "$file" "$root$file"
		fi
	done
	for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
		[ -e "$file" ] && grep -q Acquire "$file" && cp "$file" "$root$file"
	done
	mkdir -p "$root/usr/share/keyrings" "$root/etc/apt/keyrings" "$root/etc/ssl/certs" \
		"$root/usr/local/share/ca-certificates"
	for file in /usr/share/keyrings /etc/apt/keyrings /etc/ssl/certs /usr/local/share/ca-certificates; do
		[ ! -d "$file" ] || cp -rL "$file/." "$root$file/" 2>/dev/null
	done
	for file in /etc/resolv.conf /etc/hosts; do
		rm -f "$root$file"
		cp -L "$file" "$root$file"
	done
	if command -v npm >/dev/null; then
		registry=$(npm config get registry 2>/dev/null)
		cafile=$(npm config get cafile 2>/dev/null)
		[ -z "$registry" ] || echo "registry=$registry" >>"$root/root/.npmrc"
		if [ -f "$cafile" ]; then
			install -D -m 644 "$cafile" "$root/etc/npm-ca.pem"
			echo 'cafile=/etc/npm-ca.pem' >>"$root/root/.npmrc"
		fi
	fi
}

# in_fresh ROOT COMMAND...: becomes that command inside, with nothing of this shell's environment but how to get out
in_fresh() {
	local root=$1 name keep=()
	shift
	for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS SSL_CERT_FILE \
		CURL_CA_BUNDLE; do
		[ -z "${!name:-}" ] || keep+=("$name=${!name}")
	done
	exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
		INNKEEPER_LISTEN=127.0.0.1:0 "${keep[@]}" chroot "$root" "$@"
}

# healthy HOST:PORT: does it answer 200 on /healthz?
healthy() (
	exec 3<>"/dev/tcp/${1%:*}/${1##*:}" || exit 1
	printf 'GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$1" >&3
	read -r -t 5 line <&3 && [[ $line == 'HTTP/1.1 200'* ]]
) 2>/dev/null

try_run() {
	local root=$1 output=$1/root/run.output pid address='' waited=0
	(in_fresh "$root" make -C /root/innkeeper run) >"$output" 2>&1 </dev/null &
	pid=$!
	until [ -n "$address" ] && healthy "$address"; do
		if ! kill -0 "$pid" 2>/dev/null || [ "$waited" -ge 1200 ]; then
			cat "$output"
			fail "make run ended, or answered nothing in $waited seconds"
		fi
		sleep 1
		waited=$((waited + 1))
		address=$(sed -n 's#.*http://\([a-z0-9.]*:[0-9][0-9]*\).*#\1#p' "$output" | head -n 1)
	done
	cat "$output"
	# make hands the signal on to what it started.
	kill -TERM "$pid"
	wait "$pid"
	for waited in 1 2 3 4 5 6 7 8 9 10; do
		healthy "$address" || break
		sleep 1
	done
	! healthy "$address" || fail "make run was stopped, its server goes on"
	echo "fresh: make run answered on $address"
}

# Runs with mounts and processes of its own, which end with it however it ends.
inside() {
	local root=$1 mirror keyring
	read -r mirror keyring < <(find_mirror)
	[ -n "${mirror:-}" ] || fail "no source of Debian $suite in /etc/apt"
	[ -f "${keyring:-}" ] || keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	echo "fresh: making a Debian $suite"
	debootstrap --variant=minbase --include=git,make --keyring="$keyring" "$suite" "$root" "$mirror" \
		>"$root.log" 2>&1 || { tail -n 30 "$root.log" "$root/debootstrap/debootstrap.log" >&2; fail debootstrap; }
	copy_configuration "$root"
	mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" && mount --rbind /dev "$root/dev" ||
		fail "cannot mount"

	# A bundle asks nothing about who owns this tree.
	git -c safe.directory='*' -C "$here" bundle create -q "$root/root/tree" HEAD || fail "git bundle"
	(in_fresh "$root" git clone -q -c advice.detachedHead=false /root/tree /root/innkeeper) || fail "git clone"
	try_run "$root"
	(in_fresh "$root" rm -rf /root/innkeeper)
	(in_fresh "$root" git clone -q -c advice.detachedHead=false /root/tree /root/innkeeper) || fail "git clone"
	(in_fresh "$root" /root/innkeeper/.ci/run) </dev/null || fail "make test failed"
	echo "fresh: make run and make test passed on a new Debian $suite"
}

if [ "${1:-}" = --inside ]; then
	inside "$2"
	exit
fi

[ "$(id -u)" -eq 0 ] || fail "a chroot needs root: sudo make test-fresh"
[ -z "$(git -c safe.directory='*' -C "$here" status --porcelain)" ] ||
	echo "fresh: changes that are not committed are not tried" >&2
folder=$(mktemp -d "${TMPDIR:-/var/tmp}/innkeeper-fresh.XXXXXX")
namespace=
# unshare blocks milder signals; the first process of a namespace takes all the others along.
trap 'kill -KILL $namespace 2>/dev/null; wait; rm -rf --one-file-system "$folder"' EXIT
trap 'exit 130' INT TERM
unshare --mount --propagation private --pid --fork --kill-child bash "$script" --inside "$folder/root" &
namespace=$!
wait "$namespace"
status=$?
namespace=
exit "$status"
