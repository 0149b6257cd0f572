#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A cut may fall within a UTF-8 character; what is left of it goes too. */
static void drop_cut_character(char *sentence, size_t length)
{
	size_t start = length;

	while (start > 0 && length - start < 4 && ((unsigned char)sentence[start - 1] & 0xC0) == 0x80)
		start--;
	if (start == 0 || (unsigned char)sentence[start - 1] < 0xC0)
		return;
	unsigned char lead = (unsigned char)sentence[--start];
	size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (length - start < whole)
		sentence[start] = '\0';
}

enum err fault_set(struct fault *fault, enum err err, const char *code, const char *field, const char *format, ...)
{
	if (!fault)
		return err;
	fault->err = err;
	fault->code = code;
	fault->field = field;
	fault->sentence[0] = '\0';
	if (format) {
		va_list arguments;

		va_start(arguments, format);
		int length = vsnprintf(fault->sentence, sizeof fault->sentence, format, arguments);
		va_end(arguments);
		if (length < 0)
			fault->sentence[0] = '\0';
		else if ((size_t)length >= sizeof fault->sentence)
			drop_cut_character(fault->sentence, strlen(fault->sentence));
	}
	return err;
}
