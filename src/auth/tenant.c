#include "auth/tenant.h"

#include <assert.h>

#include "store/scope_make.h"

const struct scope *tenant_scope(struct arena *arena, const struct uuid *organization)
{
	struct scope *scope = arena_take(arena, sizeof *scope);

	assert(!uuid_is_nil(organization));
	if (scope != NULL)
		scope->organization = *organization;
	return scope;
}

const struct scope *tenant_system(void)
{
	static const struct scope system_scope = { .system = true };

	return &system_scope;
}
