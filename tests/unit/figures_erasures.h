/* What leaves the organizations of figures_model.h: chats and visitors that are erased, and a retention.
 * Owner: one test; one thread.
 * Each does it in the house and in the model, where what goes with it goes too.
 * Never knows how a figure is kept. Next: figures_model.h, figures_events.c (which of them happens). */
#ifndef TESTS_UNIT_FIGURES_ERASURES_H
#define TESTS_UNIT_FIGURES_ERASURES_H

#include "figures_model.h"

/* One that is still there, or NULL. */
struct model_chat *model_any_chat(struct model_house *house);

void model_erase_a_chat(struct model_house *house);
void model_erase_a_visitor(struct model_house *house);

/* A retention: all that is older. */
void model_expire(struct model_house *house);

#endif
