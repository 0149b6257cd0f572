#include "demo/demo_data.h"

#include <assert.h>

// clang-format off
enum { LEAF_GUIDE = 1, WATERFALLS, CRAGGY, RIVER_TUBING, BILTMORE, ARTS_DISTRICT, ARBORETUM, TRAIL_OF_HISTORY, BREWERIES, TABLES, VEGETARIAN, DOWNTOWN_HOTELS, CABINS, GETTING_HERE, MUSIC, CRAFT_FAIR };

static const struct demo_article articles[] = {
	[LEAF_GUIDE - 1]       = { "Fall color: where the leaves are now", "fall-color-guide", "Article" },
	[WATERFALLS - 1]       = { "Six waterfalls within an hour of Asheville", "six-waterfalls", "Hike" },
	[CRAGGY - 1]           = { "Craggy Gardens and the Pinnacle trail", "craggy-gardens", "Hike" },
	[RIVER_TUBING - 1]     = { "Tubing and paddling on the French Broad", "tubing-french-broad", "Attraction" },
	[BILTMORE - 1]         = { "Biltmore: house, gardens and how to plan the day", "biltmore-in-a-day", "Attraction" },
	[ARTS_DISTRICT - 1]    = { "The River Arts District, studio by studio", "river-arts-district", "Attraction" },
	[ARBORETUM - 1]        = { "The North Carolina Arboretum with children", "arboretum-with-children", "Attraction" },
	[TRAIL_OF_HISTORY - 1] = { "A walk through Art Deco downtown", "art-deco-downtown", "Article" },
	[BREWERIES - 1]        = { "South Slope: twelve breweries on foot", "south-slope-breweries", "Restaurant" },
	[TABLES - 1]           = { "Appalachian cooking: eight tables worth booking", "appalachian-tables", "Restaurant" },
	[VEGETARIAN - 1]       = { "Vegetarian and vegan Asheville", "vegetarian-asheville", "Restaurant" },
	[DOWNTOWN_HOTELS - 1]  = { "Hotels within a walk of Pack Square", "hotels-downtown", "Hotel" },
	[CABINS - 1]           = { "Cabins with a view of the Blue Ridge", "blue-ridge-cabins", "Hotel" },
	[GETTING_HERE - 1]     = { "Getting here and around: AVL, parking, buses", "getting-here", "Article" },
	[MUSIC - 1]            = { "Live music every night of the week", "live-music", "Event" },
	[CRAFT_FAIR - 1]       = { "Craft fairs and festivals", "craft-fairs-and-festivals", "Event" },
};

enum { WEB_LEAVES = 1, WEB_PARKWAY, WEB_FALLS, WEB_BILTMORE, WEB_BEER, WEB_DINNER, WEB_CABINS, WEB_RATES, WEB_PARKING, WEB_CONCERTS };

static const struct demo_result results[] = {
	[WEB_LEAVES - 1]   = { "https://leafreport.example/western-nc", "Western North Carolina leaf report", "Above 5,000 feet color peaks in the first half of October, around Asheville in the last week of the month." },
	[WEB_PARKWAY - 1]  = { "https://ridgeroads.example/parkway-closures", "Blue Ridge Parkway: open and closed sections", "Check before you go: sections near the Craggies close with ice and for repairs, often at short notice." },
	[WEB_FALLS - 1]    = { "https://fallsandtrails.example/near-asheville", "Waterfall hikes near Asheville by difficulty", "Looking Glass is seen from the road; Moore Cove is an easy 1.4 miles there and back; Catawba is rocky." },
	[WEB_BILTMORE - 1] = { "https://estatevisits.example/biltmore/prices", "Biltmore ticket prices by date", "Dated tickets from about $75 to $130; two children free with a paying adult in summer. Cheaper a week ahead and midweek." },
	[WEB_BEER - 1]     = { "https://hopmap.example/south-slope", "South Slope brewery map", "A dozen taprooms within half a mile; most open at noon, several have food trucks, nearly all allow dogs outside." },
	[WEB_DINNER - 1]   = { "https://mountainplate.example/asheville", "Asheville's best new tables", "Juniper & Ash cooks over wood; The Copper Skillet does biscuits until two; reservations open thirty days ahead." },
	[WEB_CABINS - 1]   = { "https://cabinfinder.example/black-mountain", "Cabins around Black Mountain and Weaverville", "Two to eight guests, hot tub and fireplace, from $165 a night midweek." },
	[WEB_RATES - 1]    = { "https://staywatch.example/asheville/rates", "Average hotel rates in Asheville by month", "October is the peak at about $285 a night, January lowest at about $135." },
	[WEB_PARKING - 1]  = { "https://parkhere.example/asheville", "Garages downtown: prices and free spaces", "First hour free in the city garages, then $2 an hour, $20 a day at most." },
	[WEB_CONCERTS - 1] = { "https://bluegrasscalendar.example/asheville", "Concerts this week", "A bluegrass jam on Tuesday, a drum circle at Pritchard Park on Friday, two touring bands on Saturday." },
};

static const struct demo_exchange exchanges[] = {
	{ OUTDOORS, ENGLISH, true, { "We're in Asheville {dates}. Which hike should we not miss?", "Best hike with a view, not too hard? We are {party}.", "easy hike near asheville?" },
	  "Craggy Pinnacle: forty minutes' drive up the Blue Ridge Parkway, then about a mile and a half there and back, and you stand above everything. Look at the closures before you start, the Parkway shuts with ice.", { CRAGGY }, { WEB_PARKWAY }, "blue ridge parkway closures craggy gardens" },
	{ OUTDOORS, ENGLISH, true, { "Are there waterfalls close by?", "Which waterfalls can we see in one day?", "waterfalls with kids" },
	  "Plenty. Looking Glass Falls is right beside the road, and Moore Cove, a few minutes further, is an easy walk on which you can step behind the water. Both together make a good half day.", { WATERFALLS }, { WEB_FALLS }, "waterfall hikes near asheville easy" },
	{ OUTDOORS, ENGLISH, true, { "When is the fall color at its peak?", "Will there still be leaves in {month}?" },
	  "It moves downhill: above 5,000 feet the first half of October, around town the last week. In {month} I'd check the leaf report a few days before; a drive along the Parkway is worth it in any season.", { LEAF_GUIDE, CRAGGY }, { WEB_LEAVES, WEB_PARKWAY }, "leaf report western north carolina" },
	{ OUTDOORS, ENGLISH, false, { "Is that okay with a dog?", "Are dogs allowed on the trail?" },
	  "Yes, on a leash of six feet or less, on the Parkway's trails and in the national forest as well. Bring water, there is none at the top.", { CRAGGY, WATERFALLS }, { 0 }, NULL },
	{ OUTDOORS, ENGLISH, false, { "Where do we park, and does it cost anything?", "Do we need a permit?" },
	  "No permit and no fee: the trailheads on the Parkway and at both falls have free parking. They're full by ten on weekends from June to October.", { WATERFALLS }, { 0 }, NULL },
	{ OUTDOORS, ENGLISH, true, { "Can we do something on the water, too?", "Can we go tubing in {month}?" },
	  "From May to September you can float the French Broad past the River Arts District, about two hours and $30 a person with the shuttle. In the colder months the outfitters still rent kayaks by appointment.", { RIVER_TUBING }, { 0 }, NULL },
	{ SIGHTS, ENGLISH, true, { "How much time do we need for Biltmore?", "Is Biltmore worth it for {party}?", "biltmore tickets?" },
	  "Plan a whole day: two hours for the house, the gardens, and the winery in Antler Hill. Tickets are dated and cheaper when you book a week ahead; midweek is quieter as well.", { BILTMORE }, { WEB_BILTMORE }, "biltmore ticket prices" },
	{ SIGHTS, ENGLISH, true, { "What can we do if it rains?", "Something indoors for an afternoon? We're {party}." },
	  "The River Arts District: more than two hundred artists, many working with open doors, with cafés in between. Downtown you can do the Art Deco walk mostly under awnings.", { ARTS_DISTRICT, TRAIL_OF_HISTORY }, { 0 }, NULL },
	{ SIGHTS, ENGLISH, true, { "What would you do with kids?", "Where can our kids run around a bit?" },
	  "The North Carolina Arboretum has a discovery trail, model trains and a creek to wade in. You pay by the car, about $20, whoever sits in it.", { ARBORETUM }, { 0 }, NULL },
	{ SIGHTS, ENGLISH, false, { "How do we get there without a car?", "Is it walkable from downtown?" },
	  "From downtown it's twenty-five minutes on foot or ten on the bus; in the evening I'd take a ride back, the hill is steep.", { ARTS_DISTRICT, GETTING_HERE }, { 0 }, NULL },
	{ SIGHTS, ENGLISH, false, { "What does that cost for {party}?", "Any discount for children?" },
	  "Adults pay between about $75 and $130 depending on the date, children are half price or free in summer. The studios and the walk downtown cost nothing.", { BILTMORE }, { WEB_BILTMORE }, "biltmore prices children discount" },
	{ FOOD, ENGLISH, true, { "Where should we have dinner tonight?", "We love good food. One restaurant, which?", "dinner for {party}, any idea?" },
	  "Juniper & Ash cooks trout and vegetables over a wood fire and keeps six seats at the bar for people without a reservation. If it's full, the street behind has three more from our list.", { TABLES }, { WEB_DINNER }, "asheville best restaurants dinner" },
	{ FOOD, ENGLISH, true, { "Which breweries can we do on foot?", "Best brewery for a Saturday afternoon?" },
	  "South Slope is made for that: a dozen taprooms within half a mile. Start at the lower end, walk uphill, eat from the food trucks in the middle. Nearly all allow dogs outside.", { BREWERIES }, { WEB_BEER }, "south slope brewery map" },
	{ FOOD, ENGLISH, false, { "Is there something vegan?", "We eat vegetarian, is that a problem?" },
	  "In Asheville? Not at all: most kitchens cook half their menu without meat, and there are five entirely vegan ones.", { TABLES, VEGETARIAN }, { 0 }, NULL },
	{ FOOD, ENGLISH, false, { "Do we need a reservation?", "And for breakfast?" },
	  "For dinner on Friday and Saturday yes, tables open thirty days ahead. For breakfast go to The Copper Skillet before nine and you won't wait for your biscuits.", { TABLES }, { WEB_DINNER }, "asheville breakfast biscuits" },
	{ STAY, ENGLISH, true, { "Which area is best to stay for {party}?", "Hotel or cabin, what do you suggest for {month}?", "where to stay, walkable to restaurants" },
	  "If you'd like to walk to dinner, stay within a few streets of Pack Square. With a car and a wish for quiet, a cabin near Black Mountain or Weaverville is twenty minutes out and often cheaper.", { DOWNTOWN_HOTELS, CABINS }, { WEB_CABINS, WEB_RATES }, "where to stay asheville" },
	{ STAY, ENGLISH, true, { "What does a hotel cost in {month}?", "When is it cheapest?" },
	  "October is the most expensive month, about $285 a night on average; January is lowest at about $135. Sunday to Thursday you save a fifth.", { DOWNTOWN_HOTELS }, { WEB_RATES }, "average hotel rates asheville by month" },
	{ STAY, ENGLISH, false, { "Is there one with a hot tub?", "Do they take dogs?", "A fireplace would be lovely." },
	  "Several: Laurel Ridge Cabins have hot tub and fireplace and take two dogs for $40 a stay. Downtown, the Haywood Arcade Hotel has a sauna on the roof.", { CABINS, DOWNTOWN_HOTELS }, { WEB_CABINS }, "cabins hot tub fireplace pets black mountain" },
	{ TRAVEL, ENGLISH, true, { "Do we need a car in Asheville?", "How do we get from AVL to downtown?" },
	  "Downtown, no; for the Parkway and the waterfalls, yes. From AVL it's twenty minutes by car, a ride is about $35, and the S3 bus takes fifty minutes.", { GETTING_HERE }, { WEB_PARKING }, "asheville airport to downtown" },
	{ TRAVEL, ENGLISH, false, { "What about parking downtown?", "Can we charge an electric car?" },
	  "The city garages are free for the first hour, then $2 an hour and $20 a day at most. The one on Biltmore Avenue has chargers on the first level.", { GETTING_HERE }, { WEB_PARKING }, "asheville parking garage downtown" },
	{ EVENTS, ENGLISH, true, { "Where is live music tonight?", "Any festivals in {month}?", "What's going on {dates}?" },
	  "There is music every night: a bluegrass jam on Tuesdays, the drum circle in Pritchard Park on Fridays when it's warm, and touring bands on weekends. The craft fairs are listed below by date.", { MUSIC, CRAFT_FAIR }, { WEB_CONCERTS }, "asheville concerts this week" },
	{ EVENTS, ENGLISH, false, { "Are children allowed in?", "How much are tickets?" },
	  "The jam and the drum circle are free and for all ages; concerts are $15 to $35, and after ten at night usually for adults only.", { MUSIC }, { 0 }, NULL },
	{ LEAD, ENGLISH, true, { "We want to book a cabin for {party}, {dates}, {nights} nights, around ${budget} a night. What do you have?", "Hello! {nights} nights in Asheville, {dates}, {party}. Budget ${budget} per night. Could you make us an offer?" },
	  "With pleasure. For {dates} Laurel Ridge Cabins have one with a fireplace free, and the Haywood Arcade Hotel has rooms downtown, both within ${budget} a night: about ${total} for {nights} nights before tax. Where may we send the offer?", { CABINS, DOWNTOWN_HOTELS }, { WEB_CABINS, WEB_RATES }, "availability {dates} asheville cabins" },
	{ LEAD, ENGLISH, false, { "To {email}, thank you.", "{email} please. Late check-in would be important.", "My address is {email}. The cabin, if possible!" },
	  "Thank you, that's with our team now. The offer for {dates} comes within one working day and holds for 48 hours.", { CABINS }, { 0 }, NULL },
	{ BYE, ENGLISH, false, { "Thanks so much!", "Super helpful, thank you.", "ok thanks" },
	  "My pleasure. Have a wonderful time in the mountains!", { 0 }, { 0 }, NULL },

	{ OUTDOORS, SPANISH, true, { "¿Qué cascadas se pueden visitar con niños?", "¿Qué excursión nos recomienda para {party}?" },
	  "Looking Glass Falls está junto a la carretera y Moore Cove es un paseo fácil de media hora. Las dos caben en medio día y el estacionamiento es gratis.", { WATERFALLS }, { WEB_FALLS }, "cascadas cerca de asheville" },
	{ FOOD, SPANISH, true, { "¿Dónde cenamos esta noche?", "¿Hay buenos restaurantes cerca del centro?" },
	  "Juniper & Ash cocina con leña y guarda seis lugares en la barra sin reserva. Si está lleno, detrás hay tres más de nuestra lista.", { TABLES }, { WEB_DINNER }, "restaurantes asheville centro" },
	{ STAY, SPANISH, true, { "¿Cuánto cuesta una cabaña en {month}?", "Buscamos alojamiento {dates}, {party}, unos {budget} dólares por noche." },
	  "Las cabañas cerca de Black Mountain empiezan en 165 dólares la noche entre semana, con chimenea y jacuzzi. En el centro, un hotel cuesta entre 135 y 285 según el mes.", { CABINS, DOWNTOWN_HOTELS }, { WEB_CABINS }, "cabañas asheville precios" },
	{ SIGHTS, SPANISH, true, { "¿Vale la pena visitar Biltmore?" },
	  "Sí, pero tómense el día entero: la casa, los jardines y la bodega. Las entradas tienen fecha y son más baratas con una semana de anticipación.", { BILTMORE }, { WEB_BILTMORE }, "biltmore entradas precio" },
	{ BYE, SPANISH, false, { "¡Mil gracias!", "Gracias, muy amable" }, "¡De nada! Que tengan un buen viaje.", { 0 }, { 0 }, NULL },

	{ OUTDOORS, GERMAN, true, { "Wann ist das Herbstlaub am schönsten?", "Welche Wanderung lohnt sich im {month}?" },
	  "Über 1.500 Metern in der ersten Oktoberhälfte, rund um die Stadt in der letzten Oktoberwoche. Eine lohnende Wanderung zu jeder Zeit ist Craggy Pinnacle, gut zwei Kilometer hin und zurück.", { LEAF_GUIDE, CRAGGY }, { WEB_LEAVES }, "herbstlaub north carolina" },
	{ STAY, GERMAN, true, { "Wir suchen eine Hütte {dates}, {party}. Was gibt es bis {budget} Dollar?" },
	  "Laurel Ridge Cabins bei Black Mountain: Kamin, Whirlpool und Blick auf die Berge, unter der Woche ab 165 Dollar pro Nacht. Für das Wochenende früh buchen.", { CABINS }, { WEB_CABINS }, "hütten black mountain preise" },
	{ BYE, GERMAN, false, { "Danke, das hilft sehr!" }, "Sehr gern. Viel Freude in den Bergen!", { 0 }, { 0 }, NULL },

	{ FOOD, FRENCH, true, { "Où dîner ce soir ? Nous sommes {party}." },
	  "Chez Juniper & Ash, cuisine au feu de bois ; six places au bar sans réservation. Pour une bière ensuite, le quartier de South Slope est à dix minutes à pied.", { TABLES, BREWERIES }, { WEB_DINNER }, "restaurant asheville ce soir" },
	{ BYE, FRENCH, false, { "Merci bien !" }, "Je vous en prie, bon voyage !", { 0 }, { 0 }, NULL },
};
// clang-format on

static_assert(sizeof exchanges / sizeof exchanges[0] <= DEMO_EXCHANGES, "a bit of 64 remembers each one");

const struct demo_organization demo_asheville = { .name = "Discover Asheville",
						  .slug = "discover-asheville",
						  .location = "Asheville, North Carolina, United States",
						  .website = "https://discoverasheville.example",
						  .time_zone = "America/New_York",
						  .administrator = "Marcus Hale",
						  .email = "admin@discoverasheville.example",
						  .articles = articles,
						  .results = results,
						  .exchanges = exchanges,
						  .exchange_count = sizeof exchanges / sizeof exchanges[0] };
