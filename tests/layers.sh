#!/bin/bash
# Does the layer check see what it is there for? One breach a tree, reported as TAP.
set -u

check=$(cd "$(dirname "$0")/.." && pwd)/tools/check_layers.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
count=0

# expect 0|1 NAME FILE LINE...: a tree of one file with these lines passes, or fails at its last line
expect() {
	local status=$1 name=$2 file=$3 output got
	shift 3
	rm -rf "$tree/src"
	mkdir -p "$tree/$(dirname "$file")"
	printf '%s\n' "$@" >"$tree/$file"
	output=$("$check" "$tree" 2>&1)
	got=$?
	count=$((count + 1))
	if [ "$got" -eq "$status" ] && { [ "$status" -eq 0 ] || [[ $output == "$file:$#: "* ]]; }; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		echo "# exit $got: $output"
	fi
}

#      what it should say, sentence, file, lines
expect 1 'base knows nobody'                      src/base/text.c     '#include <stdio.h>' '#include "net/http.h"'
expect 1 'base does not know the statements'      src/base/text.c     '#include "statements.h"'
expect 1 'net does not know the store'            src/net/http.c      '#include "base/text.h"' '#include "store/db.h"'
expect 1 'the store does not know net'            src/store/db.c      '#include "net/http.h"'
expect 1 'auth does not know net'                 src/auth/tenant.c   '#include "net/http.h"'
expect 1 'auth does not know analytics'           src/auth/tenant.c   '#include "analytics/place.h"'
expect 1 'analytics does not know the api'        src/analytics/a.c   '#include "api/dispatch.h"'
expect 1 'summary does not know auth'             src/summary/a.c     '#include "auth/tenant.h"'
expect 1 'the api does not know the server'       src/api/chats.c     '#include "server.h"'
expect 1 'the server does not know the verbs'     src/server.c        '#include "cli/serve.h"'
expect 1 'a header is checked like a source'      src/net/http.h      '#include "store/db.h"'
expect 1 'angle brackets hide nothing'            src/net/http.c      '#include <store/db.h>'
expect 1 'blanks hide nothing'                    src/net/http.c      '  #  include   "store/db.h"'
expect 1 'a macro hides nothing'                  src/net/http.c      '#include HEADER'
expect 1 'a relative path is refused'             src/net/http.c      '#include "../store/db.h"'
expect 1 'a path through one floor is refused'    src/net/http.c      '#include "base/../store/db.h"'
expect 1 'an unknown floor is no floor'           src/misc/a.c        'int a;'
expect 1 'a header of an unknown floor'           src/main.c          '#include "misc/a.h"'
expect 1 'a handler names no organization'        src/api/chats.c     '#include "auth/tenant.h"'
expect 1 'only the tenant makes scopes'           src/api/chats.c     '#include "store/scope_make.h"'
expect 1 'no other file of auth makes scopes'     src/auth/session.c  '#include "store/scope_make.h"'
expect 1 'no header of the store hands scopes on' src/store/db.h      '#include "store/scope_make.h"'
expect 1 'jansson stays in json_tree'             src/base/json_in.c  '#include <jansson.h>'
expect 1 'sqlite stays in the store'              src/cli/backup.c    '#include <sqlite3.h>'
expect 1 'microhttpd stays in net'                src/api/dispatch.c  '#include <microhttpd.h>'
expect 1 'curl does not reach the handlers'       src/api/chats.c     '#include <curl/curl.h>'
expect 1 'OpenSSL stays in signature'             src/auth/seal.c     '#include <openssl/evp.h>'
expect 1 'no SELECT outside the store'            src/api/chats.c     'x("SELECT 1");'
expect 1 'no INSERT outside the store'            src/api/chats.c     'x("INSERT INTO a");'
expect 1 'no UPDATE outside the store'            src/api/chats.c     'x("UPDATE a SET");'
expect 1 'no DELETE outside the store'            src/cli/user.c      'x("DELETE FROM a");'
expect 1 'no select in small letters'             src/api/chats.c     'x("select a, b from c where d");'
expect 0 'the store may speak SQL'                src/store/db.c      '#include <sqlite3.h>' 'x("SELECT 1");'
expect 0 'sentences for people are not SQL'       src/cli/user.c      'x("delete the file, or select another");'
expect 0 'the ladder enters an organization'      src/api/credential.c '#include "auth/tenant.h"'
expect 0 'the tenant makes scopes'                src/auth/tenant.c   '#include "store/scope_make.h"'
expect 0 'the api knows what is below'            src/api/chats.c     '#include "net/http.h"' '#include "auth/api_key.h"' \
	'#include "statements.h"' '#include "api/dispatch.h"' '#include "analytics/place.h"' '#include "summary/model.h"'
expect 0 'the store knows base and statements'    src/store/db.c      '#include "base/err.h"' '#include "statements.h"'
expect 0 'the verbs know the server'              src/cli/serve.c     '#include "server.h"' '#include "net/http.h"'
expect 0 'main knows the verbs'                   src/main.c          '#include "cli/serve.h"'

echo "1..$count"
