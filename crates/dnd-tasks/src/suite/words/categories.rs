//! Words by category. No word is in two categories, and words whose second meaning belongs to
//! another category (orange, turkey, bass, bat, china) are left out.

/// A category, its members, and the categories that it may be mixed with.
pub(in crate::suite) struct Category {
    /// Part of task names.
    pub(in crate::suite) name: &'static str,
    /// The category with its article, such as `an animal`.
    pub(in crate::suite) phrase: &'static str,
    /// The members, separated by spaces.
    pub(in crate::suite) words: &'static str,
    /// Categories whose words could pass as members of this one.
    kin: &'static str,
    /// The only categories to mix with; if empty, all except `kin`.
    only: &'static str,
}

/// A category that mixes with all except `kin`.
const fn category(
    name: &'static str,
    phrase: &'static str,
    kin: &'static str,
    words: &'static str,
) -> Category {
    Category {
        name,
        phrase,
        words,
        kin,
        only: "",
    }
}

/// A category that mixes with `only`.
const fn narrow(
    name: &'static str,
    phrase: &'static str,
    only: &'static str,
    words: &'static str,
) -> Category {
    Category {
        name,
        phrase,
        words,
        kin: "",
        only,
    }
}

impl Category {
    /// The category without its article.
    pub(in crate::suite) fn label(&self) -> &'static str {
        self.phrase
            .split_once(' ')
            .map_or(self.phrase, |(_, label)| label)
    }

    /// Whether its members are common nouns in the singular.
    pub(in crate::suite) fn takes_an_article(&self) -> bool {
        const OTHERS: &str = "planet country city river name month weekday number language \
            science material metal weather colour currency clothing illness sport";
        let is_other = OTHERS.split_whitespace().any(|other| other == self.name);
        self.only.is_empty() && !is_other
    }

    /// The names in `kin` and `only`.
    #[cfg(test)]
    pub(in crate::suite) fn mentioned(&self) -> impl Iterator<Item = &'static str> {
        let (kin, only) = (self.kin, self.only);
        kin.split_whitespace().chain(only.split_whitespace())
    }

    /// The categories that this one may be mixed with.
    pub(in crate::suite) fn rivals(&self) -> impl Iterator<Item = &'static Category> {
        let listed = |list: &str, name: &str| list.split_whitespace().any(|entry| entry == name);
        CATEGORIES.iter().filter(move |other| {
            other.name != self.name
                && !listed(self.kin, other.name)
                && (self.only.is_empty() || listed(self.only, other.name))
        })
    }
}

// Categories to mix parts of speech with: each other, and nouns that are only nouns.
const VERB_RIVALS: &str = "adjective adverb preposition pronoun fruit vegetable flower reptile \
    country city planet science language river gem";
const ADJECTIVE_RIVALS: &str = "verb adverb preposition pronoun animal fruit vegetable furniture \
    clothing profession relative instrument reptile country city planet science";
const ADVERB_RIVALS: &str = "verb adjective pronoun animal fruit vegetable furniture clothing \
    profession instrument country city planet science";
const PREPOSITION_RIVALS: &str = "verb adjective animal fruit vegetable furniture clothing \
    profession relative instrument country city planet science";

/// The category called `name`.
pub(in crate::suite) fn named(name: &str) -> Option<&'static Category> {
    CATEGORIES.iter().find(|category| category.name == name)
}

/// All categories.
#[rustfmt::skip]
pub(in crate::suite) static CATEGORIES: [Category; 52] = [
    category("animal", "an animal", "bird fish insect reptile",
        "elephant giraffe zebra lion tiger leopard cheetah wolf fox rabbit squirrel hedgehog \
         kangaroo koala hippopotamus rhinoceros camel llama donkey goat sheep horse monkey gorilla \
         chimpanzee otter beaver raccoon buffalo antelope hyena panda cow"),
    category("bird", "a bird", "animal name",
        "sparrow pigeon ostrich penguin flamingo pelican peacock owl vulture falcon woodpecker \
         nightingale seagull stork heron canary blackbird magpie raven albatross cuckoo"),
    category("fish", "a fish", "animal",
        "salmon trout herring sardine mackerel tuna haddock halibut piranha anchovy sturgeon \
         catfish swordfish barracuda tilapia minnow cod eel goldfish"),
    category("insect", "an insect", "animal",
        "ant mosquito butterfly dragonfly beetle grasshopper ladybird cockroach wasp hornet \
         termite moth bumblebee firefly mantis aphid earwig locust flea horsefly"),
    category("reptile", "a reptile", "animal",
        "lizard crocodile alligator tortoise turtle iguana gecko chameleon cobra viper rattlesnake \
         anaconda skink"),
    category("fruit", "a fruit", "tree",
        "apple banana pear grape lemon mango melon cherry strawberry raspberry blueberry apricot \
         pineapple papaya grapefruit cranberry watermelon pomegranate nectarine guava blackberry \
         fig"),
    category("vegetable", "a vegetable", "spice",
        "carrot cabbage onion potato spinach broccoli cauliflower lettuce celery garlic radish \
         turnip leek asparagus parsnip beetroot artichoke kale"),
    category("tree", "a tree", "fruit flower spice material",
        "oak birch maple willow spruce poplar elm cedar hawthorn sycamore eucalyptus larch alder \
         sequoia fir yew"),
    category("flower", "a flower", "tree spice",
        "tulip daffodil orchid daisy sunflower carnation marigold chrysanthemum snowdrop buttercup \
         hyacinth petunia begonia geranium dandelion peony"),
    category("spice", "a spice", "vegetable flower meal",
        "cinnamon nutmeg saffron turmeric cumin oregano basil thyme coriander paprika cardamom \
         parsley rosemary"),
    category("metal", "a metal", "",
        "iron copper aluminium zinc nickel titanium platinum tungsten cobalt chromium magnesium \
         lithium uranium steel"),
    category("gem", "a gemstone", "colour",
        "ruby emerald sapphire topaz opal amethyst garnet onyx agate aquamarine moonstone"),
    category("vehicle", "a vehicle", "",
        "car bus lorry bicycle motorcycle tractor helicopter aeroplane submarine tram scooter \
         ambulance taxi ferry yacht canoe bulldozer hovercraft minibus van"),
    category("tool", "a tool", "kitchenware weapon",
        "hammer screwdriver spanner chisel pliers axe wrench shovel crowbar hacksaw sledgehammer \
         pickaxe mallet tweezers"),
    category("furniture", "a piece of furniture", "kitchenware",
        "chair sofa wardrobe bookcase armchair stool desk cupboard bed dresser couch sideboard \
         bench nightstand footstool"),
    category("clothing", "a piece of clothing", "material",
        "shirt trousers jacket sweater scarf gloves skirt blouse coat hat sock cardigan pyjamas \
         raincoat mittens jeans cloak waistcoat overalls apron"),
    category("kitchenware", "a kitchen utensil", "tool container weapon material",
        "spoon fork plate saucepan kettle teapot bowl mug whisk colander spatula ladle corkscrew \
         saucer"),
    category("container", "a container", "kitchenware furniture vehicle",
        "bottle jar bucket barrel basket suitcase box envelope crate flask backpack dustbin"),
    category("instrument", "a musical instrument", "",
        "piano violin guitar trumpet flute clarinet cello saxophone trombone harp oboe bassoon \
         accordion banjo ukulele harmonica tambourine xylophone mandolin piccolo"),
    category("weapon", "a weapon", "tool kitchenware",
        "sword rifle pistol dagger spear cannon bayonet crossbow musket grenade missile revolver \
         shotgun machete"),
    category("building", "a building", "landform",
        "church castle palace cathedral hospital school library museum factory cottage skyscraper \
         mosque monastery lighthouse warehouse barn windmill bungalow"),
    category("material", "a material", "metal clothing kitchenware gem tree adjective",
        "wood leather plastic rubber cotton silk paper cardboard concrete velvet linen nylon \
         polyester denim clay canvas"),
    category("drink", "a drink", "",
        "coffee tea milk lemonade wine beer cider whisky vodka champagne cocoa milkshake smoothie \
         espresso cappuccino rum brandy tequila"),
    category("meal", "a dish to eat", "fruit vegetable fish animal bird kitchenware drink",
        "pizza lasagne spaghetti sandwich soup omelette hamburger curry sushi risotto stew salad \
         casserole pancake burrito paella ravioli pudding"),
    category("profession", "a profession", "relative",
        "doctor teacher nurse plumber carpenter lawyer baker butcher farmer engineer architect \
         dentist journalist librarian electrician firefighter accountant surgeon tailor pharmacist \
         waiter hairdresser mechanic"),
    category("relative", "a family member", "profession",
        "mother father brother sister uncle aunt cousin nephew niece grandmother grandfather \
         daughter son husband wife stepmother grandson"),
    category("body", "a part of the body", "",
        "knee elbow shoulder ankle wrist finger thumb nose ear eye mouth tongue neck stomach liver \
         kidney lung forehead eyebrow"),
    category("sport", "a sport", "vehicle",
        "football tennis hockey basketball volleyball badminton rugby gymnastics boxing wrestling \
         fencing rowing golf baseball handball skiing judo karate archery"),
    category("illness", "an illness", "emotion",
        "influenza measles pneumonia bronchitis malaria tuberculosis cholera asthma diabetes mumps \
         chickenpox hepatitis tonsillitis arthritis migraine typhoid leukaemia"),
    category("science", "a field of study", "abstract",
        "biology chemistry physics mathematics astronomy geology psychology economics philosophy \
         sociology linguistics botany zoology algebra geometry"),
    category("language", "a language", "body",
        "English French Spanish German Italian Portuguese Russian Chinese Japanese Arabic Hindi \
         Swahili Turkish Greek Dutch Swedish Finnish Hungarian"),
    category("country", "a country", "",
        "France Spain Germany Italy Portugal Russia Japan India Kenya Egypt Greece Sweden Norway \
         Finland Denmark Poland Hungary Austria Ireland Canada Mexico Brazil Argentina Chile Peru \
         Australia Vietnam Thailand"),
    category("city", "a city", "",
        "London Paris Berlin Madrid Rome Vienna Tokyo Moscow Lisbon Athens Dublin Prague Warsaw \
         Budapest Oslo Stockholm Helsinki Cairo Nairobi Sydney Toronto Chicago Bangkok Seoul"),
    category("river", "a river", "",
        "Thames Danube Rhine Nile Amazon Mississippi Volga Ganges Seine Tiber Euphrates Tigris \
         Yangtze Elbe Loire Zambezi Mekong Orinoco"),
    category("planet", "a planet", "", "Venus Mars Jupiter Saturn Uranus Neptune Earth"),
    category("name", "a person's first name", "month gem flower spice city",
        "Oliver Emma Sophie Thomas Peter Anna Julia Martin Laura David Helen Robert Susan Paul \
         Daniel Sarah Michael Rebecca"),
    category("month", "a month", "name",
        "January February July September October November December"),
    category("weekday", "a day of the week", "",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    category("currency", "a currency", "",
        "dollar euro yen peso rupee franc krona ruble dinar zloty shilling lira baht forint \
         drachma dirham"),
    category("weather", "a kind of weather", "landform adjective",
        "rain snow fog hail thunder lightning drizzle sleet storm blizzard hurricane tornado \
         sunshine mist breeze"),
    category("landform", "a feature of the landscape", "weather building river tree",
        "mountain valley lake ocean desert forest island hill volcano glacier waterfall canyon \
         beach swamp meadow peninsula lagoon cliff"),
    category("colour", "a colour", "adjective gem flower fruit metal fish bird spice",
        "red blue green yellow purple brown black white grey pink crimson turquoise beige magenta \
         maroon scarlet indigo"),
    category("number", "a number", "adjective",
        "two three four five six seven eight nine ten eleven twelve thirteen fifteen twenty thirty \
         forty fifty sixty hundred thousand"),
    category("shape", "a shape", "container",
        "circle square rectangle hexagon pentagon octagon oval sphere cube pyramid cylinder \
         cone ellipse rhombus trapezoid cuboid prism"),
    category("unit", "a unit of measurement", "currency container",
        "metre kilogram litre gallon mile inch kilometre gram tonne ounce centimetre hectare watt \
         volt millimetre joule ampere"),
    category("emotion", "an emotion", "abstract adjective",
        "happiness sadness anger fear joy jealousy disgust grief guilt shame pride envy anxiety \
         despair loneliness excitement"),
    narrow("abstract", "an abstract idea",
        "animal fruit tool furniture clothing vehicle instrument kitchenware building \
         bird container",
        "freedom justice truth wisdom democracy knowledge honesty loyalty patience courage liberty \
         equality progress peace luck fate logic memory"),
    narrow("verb", "a verb", VERB_RIVALS,
        "arrive forget bring believe explain remember decide understand discover enjoy prefer \
         choose write speak listen destroy protect admire borrow carry teach learn sing imagine \
         invite improve"),
    narrow("adjective", "an adjective", ADJECTIVE_RIVALS,
        "happy heavy beautiful careful dangerous expensive famous gentle honest hungry lazy \
         noisy polite proud rapid silent strange strong stupid tall thick ugly useful weak \
         wealthy curious clever lonely"),
    narrow("adverb", "an adverb", ADVERB_RIVALS,
        "quickly slowly always never often carefully happily suddenly quietly rarely seldom badly \
         easily greatly loudly mostly nearly perhaps politely proudly sadly softly usually gently"),
    narrow("preposition", "a preposition", PREPOSITION_RIVALS,
        "under between among behind beneath beside during against toward into onto upon within \
         without from with"),
    narrow("pronoun", "a pronoun", PREPOSITION_RIVALS,
        "she they him them he herself himself ourselves themselves yours everyone nobody somebody"),
];
