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
	return (struct counting){
		.ledger = call->house->ledger, .db = call->db, .scope = call->scope, .arena = call->arena
	};
}
