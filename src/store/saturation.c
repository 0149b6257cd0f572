#include "store/saturation.h"

#define BEGINS 0.5
#define ENDS   0.125 /* what reads take meanwhile keeps the writer from being fed: it must not end by that */

/* An exponential moving average, its exponential cut to a line: what lies longer back than the memory is forgotten. */
bool saturation_note(struct saturation *saturation, int64_t now, bool unbroken)
{
	const int64_t past = now - saturation->at;
	const double weight = past >= SATURATION_MEMORY ? 1 : past <= 0 ? 0 : (double)past / SATURATION_MEMORY;

	/* What came after a pause of any length says nothing but that there was one. */
	saturation->share += ((unbroken && saturation->at != 0 ? 1 : 0) - saturation->share) * weight;
	saturation->at = now;
	saturation->high = saturation->share > (saturation->high ? ENDS : BEGINS);
	return saturation->high;
}
