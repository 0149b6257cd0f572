#!/bin/bash
# Takes one net after the other away, builds without it, and sees who notices. The suite is only worth what it catches.
# Usage: tests/sabotage/run.sh [PATCH...]     names without .patch; all when none is given
# A patch begins with what it takes away and what must follow:
#   # net: WORDS              for people
#   # engine: sqlite|postgres of one engine alone; PostgreSQL is tried when INNKEEPER_TEST_POSTGRES is set
#   # expect: refused build   it does not compile
#   # expect: refused serve   a server with it does not start
#   # expect: caught TEST     fails with it
#   # expect: held TEST       passes with it: the other nets hold
# TEST is a unit test's name, or isolation. The last line is always "N passed, N failed".
set -u

cd "$(dirname "$0")/../.." || exit 1
here=$PWD
folder=$(mktemp -d /tmp/innkeeper-sabotage-XXXXXX)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0
engine=sqlite
[ -z "${INNKEEPER_TEST_POSTGRES:-}" ] || engine=postgres

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
		INNKEEPER=$PWD/build/innkeeper INNKEEPER_ISOLATION_ATTACKS=${INNKEEPER_SABOTAGE_ATTACKS:-6000} \
			INNKEEPER_ISOLATION_SEED=1 timeout 900 node --test tests/isolation/isolation.test.mjs >"$folder/words" 2>&1 || return 1
	else
		make -j"$(nproc)" "build/release/tests/$1" >"$folder/words" 2>&1 || return 2
		timeout 300 "build/release/tests/$1" >"$folder/words" 2>&1 || return 1
	fi
}

unbuilt() {
	return 2
}

# A new database of the patched schema, and a server on it: true when it starts.
serve() {
	cd "$folder/tree" || return 2
	INNKEEPER=$PWD/build/innkeeper timeout 60 node --input-type=module -e '
		const { openHouse } = await import(process.cwd() + "/tests/api/harness.mjs");
		await (await openHouse()).end();' >"$folder/words" 2>&1
}

# The schema that a patch changes is that of the database which others are copied from.
remake_template() {
	[ "$engine" = postgres ] || return 0
	cd "$folder/tree" || return 1
	export INNKEEPER_TEST_TEMPLATE=sabotage_${1}_$$
	INNKEEPER=$PWD/build/innkeeper node tests/postgres_template.mjs "$INNKEEPER_TEST_TEMPLATE" >"$folder/words" 2>&1
}

sabotage() {
	local patch=$here/tests/sabotage/$1.patch name=$1 net built trial what whom
	net=$(sed -n 's/^# net: //p' "$patch")
	for what in $(sed -n 's/^# engine: //p' "$patch"); do
		[ "$what" = "$engine" ] || return 0
	done
	echo "without $net"
	(cd "$folder/tree" && git apply "$patch") || { tell 1 "$name" "the patch does not fit any more"; return; }
	make -C "$folder/tree" -j"$(nproc)" build/innkeeper >"$folder/words" 2>&1
	built=$?
	trial=trial
	[ "$built" -eq 0 ] || trial=unbuilt
	[ "$built" -ne 0 ] || remake_template "$name"
	while read -r what whom; do
		case "$what $whom" in
		'refused build') [ "$built" -ne 0 ]; tell $? "$name" "does not build" ;;
		'refused serve') ! serve; tell $? "$name" "a server refuses to start" ;;
		caught*) $trial "$whom"; [ $? -eq 1 ]; tell $? "$name" "$whom fails" ;;
		held*) $trial "$whom"; tell $? "$name" "$whom passes: the other nets hold" ;;
		esac
	done < <(sed -n 's/^# expect: //p' "$patch")
	cd "$here" || exit 1
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
