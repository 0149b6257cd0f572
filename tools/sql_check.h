/* The rules that every statement keeps: above all, a tenant statement says its organization for each table.
 * Owner: the compiler's pool. One thread.
 * The first broken rule ends the program with its line; see sql_scan.h.
 * Never lets a text pass that it does not understand.
 * Next: tools/sql_emit.h, which writes down what passed. */
#ifndef INNKEEPER_TOOLS_SQL_CHECK_H
#define INNKEEPER_TOOLS_SQL_CHECK_H

#include "sql_schema.h"
#include "sql_statement.h"

/* Also fills in what the statement writes. */
void statement_check(struct pool *pool, const struct schema schemas[ENGINE_COUNT], struct sql_statement *statement);

#endif
