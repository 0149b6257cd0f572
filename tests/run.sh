#!/bin/bash
# Runs test suites and counts. What is built or looked at comes first, for all parts; then every program is in one line
# for all parts, so that no processor waits for the end of one.
# Usage: tests/run.sh PART...     checks, a variant of the build (release, asan, tsan), postgres, crash, or isolation
# On success a line a suite; of what failed its whole output. The last line is always "N passed, N failed".
# A skipped test, a program that says nothing and one that dies before its summary are failures.
set -u
shopt -s nullglob

cd "$(dirname "$0")/.." || exit 1
# Variables given to the make that called this go on to the next one, its jobs cannot.
make="${MAKE:-make} -j$(nproc)"
MAKEFLAGS=$(sed -E 's/ *--jobserver[^ ]*//; s/(^| )-j[0-9]*//' <<<"${MAKEFLAGS:-}")
export MAKEFLAGS
unset MFLAGS MAKELEVEL

export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

results=$(mktemp -d)
running=()
on_postgres=()
clusters= # a folder; in it one for each PostgreSQL that may run
end() {
	kill "${running[@]}" 2>/dev/null
	stop_postgres
	rm -rf "$results"
}
trap end EXIT
trap 'exit 130' INT TERM
number=0 passed=0 failed=0

# More programs at a time than processors: many wait for a timer, the disk or one another.
at_once=$(($(nproc) + 1))

# gcc 12's thread sanitizer cannot place its shadow under the address randomization of newer kernels.
fixed_addresses=()
if setarch -R true 2>/dev/null; then
	fixed_addresses=(setarch -R)
fi

# tap OUTPUT: prints "passed failed" of cmocka's, node's or our own TAP; node's comments count the leaves of its tree
tap() {
	awk '
	/^1\.\.[0-9]+/               { planned += substr($1, 4) }
	/^not ok /                   { bad++; next }
	/^ok .*# *(SKIP|TODO|skip)/  { bad++; next }
	/^ok /                       { good++ }
	/^ *# Subtest: /             { if (!/[.]test[.]mjs$/) named++ } # a file without a test is one to node
	/^# pass [0-9]+$/            { node = 1; pass = $3 }
	/^# (fail|cancelled|skipped|todo) [0-9]+$/ { node = 1; unpassed += $3 }
	END {
		if (node) {
			good = named ? pass : 0
			bad = unpassed
		} else if (planned > good + bad) {
			bad = planned - good
		}
		print good + 0, bad + 0
	}' "$1"
}

# work KIND SECONDS COMMAND...: runs one program and leaves output and verdict under $results/$number
work() {
	local kind=$1 limit=$2 began=$SECONDS child status good bad
	shift 2
	timeout --kill-after=10 "$limit" "$@" >"$result.output" 2>&1 </dev/null &
	child=$!
	trap 'kill "$child"' TERM
	wait "$child"
	status=$?
	[ "$status" -ne 124 ] || echo "stopped after $limit seconds" >>"$result.output"
	# timeout led a process group of its own; what a dead test left running ends here.
	kill -KILL -- "-$child" 2>/dev/null
	good=0 bad=0
	if [ "$kind" = step ]; then
		if [ "$status" -eq 0 ]; then good=1; else bad=1; fi
	else
		read -r good bad < <(tap "$result.output")
		if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then
			bad=1
			echo "ended with status $status, though no test had failed" >>"$result.output"
		elif [ $((good + bad)) -eq 0 ]; then
			bad=1
			echo "ran no test" >>"$result.output"
		fi
	fi
	echo "$good $bad $((SECONDS - began))" >"$result.verdict"
}

# launch SUITE KIND SECONDS COMMAND...: starts a program of a suite
launch() {
	local suite=$1 result
	shift
	number=$((number + 1))
	result=$results/$(printf '%05d' "$number")
	echo "$suite" >"$result.suite"
	echo "$*" >"$result.command"
	work "$@" &
	launched=$!
	mapfile -t running < <(jobs -rp)
}

# start SUITE KIND SECONDS COMMAND...: the same, as soon as there is room
start() {
	while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
		wait -n
	done
	launch "$@"
}

# step NAME COMMAND...: one command that counts as one test, run at once and to its end; false when it failed
step() {
	local name=$1 before=$failed
	shift
	launch "$name" step 1800 "$@"
	wait "$launched"
	report
	[ "$failed" -eq "$before" ]
}

# report: prints a line a suite that has ended, in the order of their start, and adds up. Called where no suite is
# half started; whoever waits for all programs before has all suites.
report() {
	local started result suite good bad seconds
	local -A suite_runs=() suite_good=() suite_bad=() suite_seconds=()
	local order=()
	for started in "$results"/*.suite; do
		result=${started%.suite}
		[ -e "$result.verdict" ] || suite_runs[$(<"$started")]=yes
	done
	[ -n "$(jobs -rp)" ] || suite_runs=() # then what has no verdict never gets one
	for started in "$results"/*.suite; do
		result=${started%.suite}
		suite=$(<"$started")
		[ -z "${suite_runs[$suite]+x}" ] || continue
		good=0 bad=1 seconds=0
		[ -e "$result.verdict" ] && read -r good bad seconds <"$result.verdict"
		[ -n "${suite_good[$suite]+x}" ] || order+=("$suite")
		suite_good[$suite]=$((${suite_good[$suite]:-0} + good))
		suite_bad[$suite]=$((${suite_bad[$suite]:-0} + bad))
		suite_seconds[$suite]=$((${suite_seconds[$suite]:-0} + seconds))
		if [ "$bad" -gt 0 ]; then
			echo "--- $suite: $(cut -d ' ' -f 3- "$result.command")"
			cat "$result.output"
			echo "---"
		fi
		rm -f "$result".*
	done
	for suite in "${order[@]}"; do
		printf '%-32s %5d passed %4ds' "$suite" "${suite_good[$suite]}" "${suite_seconds[$suite]}"
		[ "${suite_bad[$suite]}" -eq 0 ] || printf '   %d FAILED' "${suite_bad[$suite]}"
		echo
		passed=$((passed + suite_good[$suite]))
		failed=$((failed + suite_bad[$suite]))
	done
}

# node_file SUITE VARIANT SECONDS FILE: one file against the binaries of a variant, on the engine
node_file() {
	start "$1 ($2$on)" tap "$3" "${prefix[@]}" env "${engine[@]}" INNKEEPER="$PWD/build/$2/innkeeper" \
		INNKEEPER_HTTP_PROBE="$PWD/build/$2/tests/http_probe" STATEMENT_COMPILER="$PWD/build/$2/tools/statement_compiler" \
		INNKEEPER_VARIANT="$2" node --test --test-reporter=tap "$4"
}

# What fills a server to its limits, which a sanitizer moves: the same code is gone through by the other files.
unsanitized=' api/admission.test.mjs api/bounded.test.mjs isolation/isolation.test.mjs '

# largest_first FILE...: a long file that came last would leave a processor without work
largest_first() {
	[ $# -eq 0 ] || stat -c '%s %n' "$@" | sort -rn | cut -d ' ' -f 2-
}

# node_suite SUITE VARIANT SECONDS: every file of tests/SUITE
node_suite() {
	local file
	for file in $(largest_first tests/"$1"/*.test.mjs); do
		[ "$2" = release ] || [[ $unsanitized != *" ${file#tests/} "* ]] || continue
		node_file "$@" "$file"
	done
}

variant() {
	local suite program prefix=() on='' engine=()
	[ "$1" != tsan ] || prefix=("${fixed_addresses[@]}")
	for program in tests/unit/test_*.c; do
		program=build/$1/tests/$(basename "$program" .c)
		[[ $program == */test_postgres_* ]] || start "unit ($1)" tap 300 "${prefix[@]}" "$program"
	done
	node_suite isolation "$1" 1800
	for suite in tools net api; do
		node_suite "$suite" "$1" 900
	done
	[ "$1" != release ] || node_suite docs "$1" 900
}

# What is about SQLite's file alone and has no meaning on PostgreSQL, where everything else of api and isolation runs too.
sqlite_alone=$(
	cat <<'END'
	api/backup.test.mjs        copies of the file, and putting them back: PostgreSQL has pg_dump for it
	api/command_line.test.mjs  locks, paths and damage of the file; the verbs are api/verbs.test.mjs
	api/demo.test.mjs          a demonstration makes a file of its own
	api/openapi.test.mjs       what the routes say of themselves, which no database answers
END
)
# The sanitizers look at the engine itself; the rest of the house they have seen on SQLite.
sanitized_on_postgres='api/chats api/batch api/lists'

# For this part and all that follow; false when there is none.
start_postgres() {
	[ -z "$clusters" ] || return 0
	launch_postgres >"$results/postgres" 2>&1
	step 'a PostgreSQL of our own' sh -c 'cat "$1" && [ ! -s "$1" ]' - "$results/postgres" && return
	stop_postgres
	return 1
}

launch_postgres() {
	clusters=$(mktemp -d /tmp/innkeeper-postgres-XXXXXX)
	chmod 755 "$clusters" # its servers run as another user
	tests/postgres.sh start "$clusters/shared" >"$clusters/url" || return
	on_postgres=(INNKEEPER_TEST_POSTGRES="$(<"$clusters/url")" INNKEEPER_TEST_TEMPLATE=template_house
		INNKEEPER_TEST_CLUSTERS="$clusters")
	env "${on_postgres[@]}" INNKEEPER="$PWD/build/release/innkeeper" node tests/postgres_template.mjs template_house
}

# Each by its process id, also one whose test was killed; nothing of them is needed any more.
stop_postgres() {
	local running
	[ -n "$clusters" ] || return 0
	for running in "$clusters"/*/data/postmaster.pid; do
		tests/postgres.sh stop "${running%/data/postmaster.pid}" immediate
	done
	rm -rf "$clusters"
	clusters=
}

postgres() {
	local suite file program prefix=() on=', PostgreSQL' engine=()
	start_postgres || return
	engine=("${on_postgres[@]}")
	for program in tests/unit/test_{postgres_*,statement_scope}.c; do
		start "unit (release$on)" tap 300 env "${engine[@]}" "build/release/tests/$(basename "$program" .c)"
	done
	for suite in isolation postgres api; do
		for file in $(largest_first tests/"$suite"/*.test.mjs); do
			grep -q "^	${file#tests/} " <<<"$sqlite_alone" || node_file "$suite" release 1800 "$file"
		done
	done
	for file in $sanitized_on_postgres; do
		node_file "${file%/*}" asan 900 "tests/$file.test.mjs"
	done
}

isolation() {
	local prefix=() on='' engine=()
	node_suite isolation release 14400
	start_postgres || return
	on=', PostgreSQL' engine=("${on_postgres[@]}")
	node_suite isolation release 14400
}

# prepare PART: builds what it needs, and looks at the code; false when that failed
prepare() {
	case "$1" in
	checks)
		step 'layers' $make layers
		start 'layers, tested' tap 60 tests/layers.sh
		step 'clang, no warning' $make clang
		step 'lint' $make lint
		;;
	release | asan | tsan) step "build ($1)" $make "build/$1/innkeeper" "tests-$1" test-packages ;;
	postgres) step 'build (postgres)' $make build/{release,asan}/innkeeper tests-release test-packages ;;
	crash | isolation) step "build ($1)" $make build/release/innkeeper tests-release test-packages ;;
	*)
		echo "usage: $0 checks|release|asan|tsan|postgres|crash|isolation..." >&2
		exit 2
		;;
	esac
}

prepared=()
for part in "$@"; do
	prepare "$part" && prepared+=("$part")
done
for part in "${prepared[@]}"; do
	report
	case "$part" in
	release | asan | tsan) variant "$part" ;;
	postgres | isolation) "$part" ;;
	crash) prefix=() on='' engine=() && node_suite crash release 3600 ;;
	esac
done
wait
report

[ $((passed + failed)) -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
