#include "base/budget.h"

#include "base/clock.h"

#define WAITING 20 /* as many times the budget may go by on the wall */

struct budget budget_begin(int64_t most)
{
	return (struct budget){ .begun = clock_monotonic(), .worked = clock_worked(), .most = most };
}

/* The processor's clock is a system call, the wall's is none: most of the time the latter says enough. */
bool budget_spent(const struct budget *budget)
{
	const int64_t passed = clock_monotonic() - budget->begun;

	if (passed < budget->most)
		return false;
	return passed / WAITING >= budget->most || clock_worked() - budget->worked >= budget->most;
}
