#!/bin/bash
# A PostgreSQL of the tests' own: a fresh cluster in a folder, on a free port of loopback, ended by its process id.
# Usage: tests/postgres.sh start FOLDER     prints an administrator's URL
#        tests/postgres.sh stop FOLDER [fast|immediate]
#        tests/postgres.sh again FOLDER     starts it once more, on the same port
# Nothing is synced (but by PGSYNC=on): what ends here is the process, never the machine.
set -eu

folder=${2:?a folder}
programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
[ -x "$programs/initdb" ] || { echo "PostgreSQL is not installed: tools/install_packages.sh test" >&2; exit 1; }

# It refuses to run as root.
as=()
if [ "$(id -u)" -eq 0 ]; then
	as=(runuser -u postgres --)
fi

launch() {
	local port
	port=$(cat "$folder/port")
	# One child that is the server itself: who stops it knows its process id.
	"${as[@]}" "$programs/pg_ctl" -D "$folder/data" -s -w -t 60 -l "$folder/log" \
		-o "-p $port -k $folder -c listen_addresses=127.0.0.1 -c fsync=${PGSYNC:-off} -c max_connections=400 \
		-c shared_buffers=256MB -c full_page_writes=${PGSYNC:-off} -c autovacuum_naptime=10s ${PGMORE:-}" start
}

case "$1" in
start)
	mkdir -p "$folder"
	if [ "$(id -u)" -eq 0 ]; then
		chown postgres "$folder"
	fi
	"${as[@]}" "$programs/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log"
	node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })' >"$folder/port"
	launch
	echo "postgres://postgres@/postgres?host=$folder&port=$(cat "$folder/port")"
	;;
again)
	launch
	;;
stop)
	"${as[@]}" "$programs/pg_ctl" -D "$folder/data" -s -w -t 60 -m "${3:-fast}" stop
	;;
*)
	sed -n '3,6s/^# //p' "$0" >&2
	exit 2
	;;
esac
