#include "auth/founding.h"

#include "auth/system_query.h"
#include "auth/tenant.h"

enum err founding_organization(struct db *db, struct arena *arena, const struct organization_create_in *organization,
			       const struct api_key_create_in *key)
{
	const struct scope *tenant = tenant_scope(arena, &organization->id);
	enum err err = tenant == NULL ? ERR_MEMORY : system_run(db, STATEMENT_ORGANIZATION_CREATE, organization, NULL);

	return err == OK ? tenant_run(db, tenant, STATEMENT_API_KEY_CREATE, key, NULL) : err;
}
