/* Sizes that come from outside are added and multiplied here.
 * Owner: nobody. Any thread.
 * False means overflow: the result is then not to be used.
 * Never wraps around.
 * Next: base/arena.h, base/text.h. */
#ifndef INNKEEPER_BASE_SIZE_H
#define INNKEEPER_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

bool size_add(size_t a, size_t b, size_t *out) WARN_UNUSED;
bool size_multiply(size_t a, size_t b, size_t *out) WARN_UNUSED;

#endif
