#!/bin/bash
# Takes one net after the other away, builds without it, and sees who notices. The suite is only worth what it catches.
# Usage: tests/sabotage/run.sh [PATCH...]     names without .patch; all when none is given
# A patch begins with what it takes away and what must follow:
#   # net: WORDS              for people
#   # engine: sqlite|postgres of one engine alone; else both are tried, on a PostgreSQL of its own (tests/postgres.sh)
#   # expect: refused build   it does not compile
#   # expect: refused serve   a server with it does not start
#   # expect: caught TEST     fails with it
#   # expect: held TEST       passes with it: the other nets hold
# TEST is a unit test's name, or isolation. The last line is always "N passed, N failed".
set -u

cd "$(dirname "$0")/../.." || exit 1
here=$PWD
folder=$(mktemp -d /tmp/innkeeper-sabotage-XXXXXX)
chmod 755 "$folder" # its PostgreSQL runs as another user
end() {
	[ ! -e "$folder/postgres/data/postmaster.pid" ] || tests/postgres.sh stop "$folder/postgres" immediate
	rm -rf "$folder"
}
trap 'cd "$here" && end' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0
engine=sqlite
on=() # the engine's variables, for what drives the patched tree
unset INNKEEPER_TEST_POSTGRES INNKEEPER_TEST_TEMPLATE

# The tree as it stands, built, so that what a patch leaves alone is not compiled again; times are kept for that.
make -j"$(nproc)" build/innkeeper test-packages >/dev/null || exit 1
mkdir "$folder/tree"
cp -a Makefile bench build deploy docs man sql src tests tools "$folder/tree"
rm -rf "$folder/tree/build/asan" "$folder/tree/build/tsan" "$folder/tree/build/clang"

tell() { # tell GOOD NAME WORDS
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	printf '  %-18s %-9s %s%s\n' "$2" "$engine" "$3" "$([ "$1" -eq 0 ] || echo '   NOT SO')"
	[ "$1" -eq 0 ] || tail -40 "$folder/words"
}

# A test of the patched tree: 0 it passes, 1 it fails, 2 it could not be tried.
trial() {
	cd "$folder/tree" || return 2
	if [ "$1" = isolation ]; then
		env "${on[@]}" INNKEEPER="$PWD/build/innkeeper" INNKEEPER_ISOLATION_ATTACKS="${INNKEEPER_SABOTAGE_ATTACKS:-20000}" \
			INNKEEPER_ISOLATION_SEED=1 timeout 900 node --test tests/isolation/isolation.test.mjs >"$folder/words" 2>&1 || return 1
	else
		make -j"$(nproc)" "build/release/tests/$1" >"$folder/words" 2>&1 || return 2
		env "${on[@]}" timeout 300 "build/release/tests/$1" >"$folder/words" 2>&1 || return 1
	fi
}

# A new database of the patched schema, and a server on it: true when it starts.
serve() {
	cd "$folder/tree" || return 2
	env "${on[@]}" INNKEEPER="$PWD/build/innkeeper" timeout 60 node --input-type=module -e '
		const { openHouse } = await import(process.cwd() + "/tests/api/harness.mjs");
		await (await openHouse()).end();' >"$folder/words" 2>&1
}

# On PostgreSQL the schema that a patch changes is that of the database which others are copied from.
turn_to() {
	engine=$1 on=()
	[ "$engine" = postgres ] || return 0
	[ -e "$folder/url" ] || tests/postgres.sh start "$folder/postgres" >"$folder/url" || return 1
	on=(INNKEEPER_TEST_POSTGRES="$(<"$folder/url")" INNKEEPER_TEST_TEMPLATE="template_$2")
	cd "$folder/tree" || return 1
	env "${on[@]}" INNKEEPER="$PWD/build/innkeeper" node tests/postgres_template.mjs "template_$2" >"$folder/words" 2>&1
}

# What follows from the patch on the engine that it is the turn of.
try() {
	local patch=$1 name=$2 what whom
	while read -r what whom; do
		case "$what $whom" in
		'refused serve') ! serve; tell $? "$name" "a server refuses to start" ;;
		caught*) trial "$whom"; [ $? -eq 1 ]; tell $? "$name" "$whom fails" ;;
		held*) trial "$whom"; tell $? "$name" "$whom passes: the other nets hold" ;;
		esac
	done < <(sed -n 's/^# expect: //p' "$patch")
}

sabotage() {
	local patch=$here/tests/sabotage/$1.patch name=$1 only built
	engine=sqlite
	echo "without $(sed -n 's/^# net: //p' "$patch")"
	only=$(sed -n 's/^# engine: //p' "$patch")
	(cd "$folder/tree" && git apply "$patch") || { tell 1 "$name" "the patch does not fit any more"; return; }
	make -C "$folder/tree" -j"$(nproc)" build/innkeeper >"$folder/words" 2>&1
	built=$?
	if grep -q '^# expect: refused build' "$patch"; then
		[ "$built" -ne 0 ]
		tell $? "$name" "does not build"
	elif [ "$built" -ne 0 ]; then
		tell 1 "$name" "builds"
	else
		for engine in ${only:-sqlite postgres}; do
			if turn_to "$engine" "$name"; then
				try "$patch" "$name"
			else
				tell 1 "$name" "has a database"
			fi
			cd "$here" || exit 1
		done
	fi
	(cd "$folder/tree" && git apply -R "$patch")
}

if [ $# -eq 0 ]; then
	set -- tests/sabotage/*.patch
	set -- "${@##*/}"
	set -- "${@%.patch}"
fi
for name; do
	sabotage "$name"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
