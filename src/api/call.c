#include "api/call.h"

#include <stdarg.h>
#include <stdio.h>

enum err call_fail(struct call *call, enum err err, const char *field, const char *format, ...)
{
	va_list arguments;
	char sentence[sizeof call->fault.sentence];

	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	return fault_set(&call->fault, err, NULL, field, "%s", sentence);
}

struct counting call_counting(struct call *call)
{
	return (struct counting){ .ledger = house_ledger(call->house, call->db),
				  .db = call->db,
				  .scope = call->scope,
				  .arena = call->arena };
}

enum err call_parameter_id(const struct call *call, size_t which, struct uuid *out)
{
	return uuid_parse(call->parameters[which], out) == OK ? OK : ERR_NOT_FOUND;
}

void call_put_success(struct call *call)
{
	json_key(call->out, "success");
	json_put_bool(call->out, true);
}
