#!/bin/sh
# Checks that nothing in src/ looks up: which floor includes which, who may touch a library, where SQL may stand.
# Usage: tools/check_layers.sh [ROOT]      prints every breach as FILE:LINE: WORDS and exits 1 if there is one
set -eu

cd "${1:-$(dirname "$0")/..}"
[ -d src ] || { echo "$PWD/src: no such directory" >&2; exit 2; }

find src -name '*.[ch]' | LC_ALL=C sort | xargs -r awk '
BEGIN {
	# A floor and what it may know besides itself. "generated" is what the statement compiler writes, "house" the
	# headers right below src/ (server, jobs).
	knows["base"]      = ""
	knows["net"]       = "base"
	knows["store"]     = "base generated"
	knows["auth"]      = "base store generated"
	knows["analytics"] = "base store generated"
	knows["search"]    = "base store generated"
	knows["erase"]     = "base store analytics search generated"
	knows["legacy"]    = "base store auth analytics search generated"
	knows["summary"]   = "base store generated"
	knows["move"]      = "base store auth analytics search erase generated"
	knows["api"]       = "base net store auth analytics search erase legacy move summary generated"
	knows["house"]     = "base net store auth analytics search erase legacy move summary api generated"
	knows["cli"]       = "base net store auth analytics search erase legacy move summary api house generated"
	knows["demo"]      = "base net store auth analytics search erase legacy move summary api house cli generated"
	knows["main"]      = "base net store auth analytics search erase legacy move summary api house cli demo generated"

	# A header that is not for everybody on the floors that could see it, and the files that may include it.
	only["store/scope_make.h"] = "^src/(auth/tenant|store/[^/]*)[.]c$"
	only["auth/tenant.h"]      = "^src/(auth/[^/]*|api/credential|jobs|background)[.]c$"
	only["auth/system_query.h"] = "^src/auth/[^/]*[.]c$"
	only["auth/moving.h"]      = "^src/(auth/moving[.]c|move/[^/]*|api/move[.][ch])$"
	only["auth/tenants.h"]     = "^src/(auth/tenants|api/verify|jobs)[.]c$"
	only["jansson.h"]          = "^src/base/json_tree[.]c$"
	only["glib.h"]             = "^src/analytics/calendar[.]c$"
	only["sqlite3.h"]          = "^src/store/[^/]*$"
	only["libpq-fe.h"]         = "^src/(store/[^/]*|legacy/source_postgres)[.][ch]$"
	only["microhttpd.h"]       = "^src/net/[^/]*$"
	only["curl/curl.h"]        = "^src/(auth/oidc_web|cli/control_client|demo/[^/]*)[.]c$"
}

function breach(words) {
	print FILENAME ":" FNR ": " words
	breaches++
}

function floor_of_file(path, parts, count) {
	count = split(path, parts, "/")
	if (count == 2)
		return parts[2] ~ /^main[.]/ ? "main" : "house"
	return count == 3 ? parts[2] : "deeper"
}

# "" for a header of the system
function floor_of_header(header, quoted, parts) {
	split(header, parts, "/")
	if (header ~ /\// && parts[1] in knows)
		return parts[1]
	if (!quoted)
		return ""
	if (header == "statements.h")
		return "generated"
	return header ~ /\// ? "unknown" : "house"
}

FNR == 1 {
	here = floor_of_file(FILENAME)
	if (!(here in knows))
		breach("no floor of the house")
}

/^[ \t]*#[ \t]*include/ {
	header = $0
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", header)
	quoted = header ~ /^"/
	if (header !~ /^["<]/) {
		breach("an include that hides its name")
		next
	}
	header = substr(header, 2)
	sub(/[">].*/, "", header)
	there = floor_of_header(header, quoted)
	if (header ~ /[.][.]?\//)
		breach("a path that leaves its floor: " header)
	else if (there != "" && there != here && index(" " knows[here] " ", " " there " ") == 0)
		breach(here " may not know " there ": " header)
	if (header in only && FILENAME !~ only[header])
		breach("not for this file: " header)
	if (header ~ /^openssl\// && FILENAME !~ /^src\/auth\/signature[.]c$/)
		breach("not for this file: " header)
}

here != "store" && FILENAME != "src/legacy/source_postgres.c" && (/"[ \t]*(SELECT|INSERT|UPDATE|DELETE) / ||
	/"[ \t]*(insert into|delete from|select [^"]* from|update [^"]* set) /) {
	breach("SQL outside sql/ and the store")
}

END {
	exit breaches > 0
}
' || exit 1 # xargs says 123
