#include "store/scope.h"

#include <stddef.h>

#include "store/scope_make.h"

const struct uuid *scope_organization(const struct scope *scope)
{
	return scope->system ? NULL : &scope->organization;
}
