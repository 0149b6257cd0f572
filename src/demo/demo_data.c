#include "demo/demo_data.h"

#define CHOICES(table)                                                                                                 \
	{                                                                                                              \
		(table), sizeof(table) / sizeof((table)[0])                                                            \
	}

const struct demo_organization *const demo_organizations[DEMO_ORGANIZATIONS] = { &demo_fort_myers, &demo_asheville };

// clang-format off
static const struct demo_choice languages[] = {
	{ "en", 86 }, { "es", 9 }, { "de", 3 }, { "fr", 2 },
};

static const struct demo_choice topics[] = {
	[OUTDOORS] = { "outdoors", 26 }, [SIGHTS] = { "sights", 18 }, [FOOD] = { "food", 20 }, [STAY] = { "stay", 18 },
	[TRAVEL] = { "travel", 8 }, [EVENTS] = { "events", 10 }, [LEAD] = { "lead", 5 }, [BYE] = { "bye", 0 },
};

static const struct demo_choice user_agents[] = {
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1", 30 },
	{ "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Mobile Safari/537.36", 14 },
	{ "Mozilla/5.0 (Linux; Android 14; SM-S918U) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Mobile Safari/537.36", 10 },
	{ "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", 6 },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36", 18 },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36 Edg/128.0.0.0", 6 },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15", 10 },
	{ "Mozilla/5.0 (X11; Linux x86_64; rv:129.0) Gecko/20100101 Firefox/129.0", 2 },
	{ NULL, 4 },
};

static const struct demo_choice english_locations[] = {
	{ "Chicago, Illinois, United States", 9 }, { "New York, New York, USA", 8 }, { "Atlanta, Georgia, United States", 8 },
	{ "Columbus, Ohio, United States", 6 }, { "Indianapolis, Indiana, USA", 5 }, { "Boston, Massachusetts, United States", 5 },
	{ "Charlotte, North Carolina, US", 6 }, { "Tampa, Florida, United States", 6 }, { "Orlando, Florida, United States", 5 },
	{ "Nashville, Tennessee, United States", 5 }, { "Detroit, Michigan, USA", 4 }, { "Minneapolis, Minnesota, United States", 4 },
	{ "Philadelphia, Pennsylvania, United States", 4 }, { "Dallas, Texas, United States", 3 }, { "Richmond, Virginia, United States", 3 },
	{ "Naples, Florida, United States", 3 }, { "Greenville, South Carolina, United States", 3 }, { "Toronto, Ontario, Canada", 5 },
	{ "London, England, United Kingdom", 3 }, { "Manchester, England, UK", 1 }, { "Dublin, Leinster, Ireland", 1 },
	{ "unknown", 2 }, { NULL, 4 },
};
static const struct demo_choice spanish_locations[] = {
	{ "Miami, Florida, United States", 8 }, { "Mexico City, Mexico", 4 }, { "Bogotá, Colombia", 3 },
	{ "San Juan, Puerto Rico", 2 }, { "Madrid, Spain", 2 }, { "Houston, Texas, United States", 3 }, { NULL, 1 },
};
static const struct demo_choice german_locations[] = {
	{ "Hamburg, Germany", 3 }, { "München, Bayern, Germany", 3 }, { "Köln, Nordrhein-Westfalen, Germany", 2 },
	{ "Zürich, Switzerland", 2 }, { "Wien, Austria", 1 },
};
static const struct demo_choice french_locations[] = {
	{ "Montréal, Québec, Canada", 6 }, { "Québec, Québec, Canada", 2 }, { "Lyon, France", 1 }, { "Paris, France", 2 },
};

static const struct demo_choice english_first_names[] = {
	{ "Emily", 3 }, { "Michael", 3 }, { "Sarah", 3 }, { "David", 3 }, { "Jessica", 2 }, { "Brian", 2 }, { "Karen", 2 },
	{ "Kevin", 2 }, { "Megan", 2 }, { "Tom", 2 }, { "Linda", 2 }, { "Andre", 1 }, { "Priya", 1 }, { "Grace", 1 },
	{ "Noah", 1 }, { "Olivia", 2 }, { "Hannah", 2 }, { "Marcus", 1 }, { "Denise", 1 }, { "Walter", 1 },
};
static const struct demo_choice english_last_names[] = {
	{ "Miller", 3 }, { "Johnson", 3 }, { "Davis", 2 }, { "Walker", 2 }, { "Kowalski", 1 }, { "Nguyen", 2 }, { "Patel", 2 },
	{ "Anderson", 2 }, { "Brooks", 1 }, { "Carter", 2 }, { "Hughes", 1 }, { "Sullivan", 1 }, { "Reed", 1 },
	{ "Washington", 1 }, { "Larsen", 1 }, { "Bennett", 2 }, { "Foster", 1 }, { "O'Brien", 1 },
};
static const struct demo_choice spanish_first_names[] = {
	{ "María", 3 }, { "José", 2 }, { "Lucía", 2 }, { "Carlos", 2 }, { "Valentina", 1 }, { "Andrés", 1 }, { "Sofía", 1 },
};
static const struct demo_choice spanish_last_names[] = {
	{ "González", 3 }, { "Rodríguez", 2 }, { "Martínez", 2 }, { "Peña", 1 }, { "Herrera", 1 }, { "Núñez", 1 },
};
static const struct demo_choice german_first_names[] = {
	{ "Anna", 2 }, { "Jürgen", 1 }, { "Katrin", 2 }, { "Stefan", 2 }, { "Lena", 1 },
};
static const struct demo_choice german_last_names[] = {
	{ "Schneider", 2 }, { "Müller", 2 }, { "Weber", 1 }, { "Großmann", 1 },
};
static const struct demo_choice french_first_names[] = {
	{ "Élise", 2 }, { "Marc", 1 }, { "Geneviève", 1 }, { "Luc", 1 },
};
static const struct demo_choice french_last_names[] = {
	{ "Tremblay", 2 }, { "Gagnon", 2 }, { "Lefèvre", 1 }, { "Roy", 1 },
};

static const struct demo_choice seasons[] = { { "Winter", 34 }, { "Spring", 30 }, { "Summer", 20 }, { "Fall", 16 } };
static const struct demo_choice traveler_types[] = {
	{ "Family", 34 }, { "Couple", 30 }, { "Solo", 12 }, { "Friends", 14 }, { "Snowbird", 10 },
};
static const struct demo_choice preferences[] = {
	{ "Outdoors", 30 }, { "Restaurants", 24 }, { "Nature and wildlife", 18 }, { "Museums and history", 12 },
	{ "Hiking", 14 }, { "On the water", 12 }, { "Live music", 10 }, { "Breweries", 10 }, { "Golf", 7 },
	{ "Shopping", 8 }, { "Dog-friendly places", 6 },
};
static const struct demo_choice vibes[] = {
	{ "Relaxed", 30 }, { "Romantic", 16 }, { "Adventurous", 18 }, { "Family fun", 22 }, { "Foodie", 18 }, { "Artsy", 12 },
	{ "Off the beaten path", 10 },
};

static const struct demo_party english_parties[] = {
	{ "two adults", 2 }, { "two adults and two kids (6 and 9)", 4 }, { "a family of five", 5 },
	{ "four adults", 4 }, { "two adults and a toddler", 3 }, { "six friends", 6 },
	{ "three generations, seven people", 7 },
};
static const struct demo_party spanish_parties[] = {
	{ "dos adultos", 2 }, { "dos adultos y dos niños", 4 }, { "cuatro adultos", 4 }, { "una familia de cinco", 5 },
};
static const struct demo_party german_parties[] = { { "zwei Erwachsene", 2 }, { "zwei Erwachsene und zwei Kinder", 4 } };
static const struct demo_party french_parties[] = { { "deux adultes", 2 }, { "deux adultes et deux enfants", 4 } };

const unsigned demo_hours[24] = {
	62, 58, 50, 38, 24, 14, 8, 5, 4, 5, 8, 16, 30, 46, 58, 66, 72, 74, 70, 66, 64, 66, 70, 68,
};
const unsigned demo_weekdays[7] = { 106, 98, 95, 96, 98, 103, 108 };

static const char *const months[DEMO_LANGUAGES][12] = {
	[ENGLISH] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December" },
	[SPANISH] = { "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre" },
	[GERMAN] = { "Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember" },
	[FRENCH] = { "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre" },
};
// clang-format on

const struct demo_choices demo_languages = CHOICES(languages);
const struct demo_choices demo_opening_topics = CHOICES(topics);
const struct demo_choices demo_user_agents = CHOICES(user_agents);
const struct demo_choices demo_locations[DEMO_LANGUAGES] = { CHOICES(english_locations), CHOICES(spanish_locations),
							     CHOICES(german_locations), CHOICES(french_locations) };
const struct demo_choices demo_first_names[DEMO_LANGUAGES] = { CHOICES(english_first_names),
							       CHOICES(spanish_first_names),
							       CHOICES(german_first_names),
							       CHOICES(french_first_names) };
const struct demo_choices demo_last_names[DEMO_LANGUAGES] = { CHOICES(english_last_names), CHOICES(spanish_last_names),
							      CHOICES(german_last_names), CHOICES(french_last_names) };
const struct demo_choices demo_seasons = CHOICES(seasons);
const struct demo_choices demo_traveler_types = CHOICES(traveler_types);
const struct demo_choices demo_preferences = CHOICES(preferences);
const struct demo_choices demo_vibes = CHOICES(vibes);
const struct demo_parties demo_parties[DEMO_LANGUAGES] = { CHOICES(english_parties), CHOICES(spanish_parties),
							   CHOICES(german_parties), CHOICES(french_parties) };

const char *demo_month(enum demo_language language, unsigned month)
{
	return months[language][(month - 1) % 12];
}
