#include "store/postgres_roles.h"

#include <stdio.h>

#define TABLES_SIZE 4096

static enum err look(struct postgres_line *line, const char *question, const struct postgres_parameters *parameters,
		     struct fault *fault)
{
	struct postgres_answer answer;
	enum err err;

	postgres_line_ask(line, question, parameters, "checking roles", &answer);
	err = postgres_line_rest(line); /* a transaction begins behind it */
	if (err == OK)
		err = answer.err;
	if (err == OK && PQntuples(answer.result) > 0)
		err = fault_set(fault, ERR_FORBIDDEN, NULL, "database",
				"The database is refused, since its role could see around the policies or tables are "
				"unprotected: %.120s. Run innkeeper migrate.",
				PQgetvalue(answer.result, 0, 0));
	else if (err != OK)
		fault_set(fault, err, NULL, NULL, "The database's roles cannot be checked; the log has the reason.");
	PQclear(answer.result);
	return err;
}

enum err postgres_roles_check(struct postgres_line *line, struct fault *fault)
{
	struct postgres_parameters tables;
	char names[TABLES_SIZE];
	size_t length = 0;

	for (size_t i = 0; i < postgres_table_count && length < sizeof names; i++)
		length += (size_t)snprintf(names + length, sizeof names - length, "%s%s.%s", i == 0 ? "" : " ",
					   postgres_tables[i].name, postgres_tables[i].owner_column);
	if (length >= sizeof names)
		return fault_set(fault, ERR_MEMORY, NULL, NULL, "There are too many tables to check.");
	postgres_bind_one(&tables, text_of(names));
	return look(line, postgres_check, &tables, fault);
}

enum err postgres_roles_check_again(struct postgres_line *line, struct fault *fault)
{
	return look(line, postgres_connected, &(struct postgres_parameters){ 0 }, fault);
}
