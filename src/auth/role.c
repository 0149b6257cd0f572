#include "auth/role.h"

const char *const role_names[] = { [MEMBER] = "Member", [CREATOR] = "Creator", [ADMIN] = "Admin", [ADMIN + 1] = NULL };

bool role_of(struct text name, enum role *out)
{
	for (int i = 0; role_names[i] != NULL; i++)
		if (text_equal(name, text_of(role_names[i]))) {
			*out = (enum role)i;
			return true;
		}
	return false;
}
