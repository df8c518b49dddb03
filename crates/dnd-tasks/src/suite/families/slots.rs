//! Details of sentences about many things, asked for in their own words.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::words::sentences::expand;

const FIND: [&str; 8] = [
    "{question} {0}",
    "{0}\n{question}",
    "Text: {0}\n{question}",
    "{0} {question}",
    "Sentence: {0}\nQuestion: {question}",
    "Read this and answer. {0} {question}",
    "{question}\n\n{0}",
    "Take it from the text. {question} {0}",
];

/// Name, sentences, and each slot with its question.
type Group = (
    &'static str,
    [&'static str; 4],
    &'static [(&'static str, &'static str)],
);

const GROUPS: [Group; 9] = [
    (
        "trip",
        [
            "[name] went to [country] by [vehicle] in [month], with a suitcase of [count] kilos.",
            "In [month] a [vehicle] took [name] and [count] kilos of luggage to [country].",
            "To [country]! [name] packed [count] kilos and left in [month] by [vehicle].",
            "[name] took a [vehicle] and [count] kilos of luggage to [country] in [month].",
        ],
        &[
            ("name", "Who travelled?"),
            ("country", "Where did the journey go?"),
            ("vehicle", "By what means of transport?"),
            ("month", "In which month was it?"),
            ("count", "How many kilos was the luggage?"),
        ],
    ),
    (
        "hobby",
        [
            "[name] plays the [instrument], speaks [language] and likes [sport] and [food].",
            "After [sport], [name] eats [food], plays the [instrument] or learns [language].",
            "The [instrument], [language], [sport] and [food] are what [name] loves.",
            "[name] gave up [sport] for the [instrument] and now sings about [food] in [language].",
        ],
        &[
            ("name", "Whose hobbies are these?"),
            ("instrument", "Which instrument is played?"),
            ("language", "Which language is mentioned?"),
            ("sport", "Which sport is mentioned?"),
            ("food", "Which dish is mentioned?"),
        ],
    ),
    (
        "garden",
        [
            "[name] planted [count] seeds of [flower] under the [tree] on [weekday].",
            "On [weekday], under the [tree], [count] seeds of [flower] were planted by [name].",
            "Next to a [tree] grows the [flower]; [name] put [count] seeds there last [weekday].",
            "[count] seeds of [flower] lie near the [tree], where [name] dug on [weekday].",
        ],
        &[
            ("name", "Who worked in the garden?"),
            ("count", "How many seeds are there?"),
            ("flower", "Which flower was planted?"),
            ("tree", "Which tree stands there?"),
            ("weekday", "Which day was it?"),
        ],
    ),
    (
        "kitchen",
        [
            "At [time] [name] cooked a [food] with [vegetable] and [spice].",
            "[name] puts [spice] and [vegetable] into the [food], which is ready at [time].",
            "The [food] of [name] has [vegetable] in it and [spice] on it; we eat at [time].",
            "With [vegetable] and much [spice], the [food] that [name] made is served at [time].",
        ],
        &[
            ("time", "When is it?"),
            ("name", "Who is the cook?"),
            ("food", "What was cooked?"),
            ("vegetable", "Which vegetable is in it?"),
            ("spice", "Which spice is used?"),
        ],
    ),
    (
        "order",
        [
            "[firm] ordered [count] pieces of the [device] at [price] each for [city].",
            "For [city], [count] pieces of the [device] go to [firm] at [price] each.",
            "Order: [device], [count] pieces, [price] each, deliver to [firm] in [city].",
            "At [price] each, [firm] takes [count] pieces of the [device] to [city].",
        ],
        &[
            ("firm", "Which firm placed the order?"),
            ("count", "How many pieces were ordered?"),
            ("device", "What was ordered?"),
            ("price", "What does one piece cost?"),
            ("city", "Where is it delivered to?"),
        ],
    ),
    (
        "house",
        [
            "In the [building] there is a [colour] [furniture] of [name], covered with [material].",
            "[name] bought [material] for a [furniture], painted it [colour] and put it into \
             the [building].",
            "The [colour] [furniture] with [material] in the [building] belongs to [name].",
            "[name] has put some [material] onto the [colour] [furniture] of the [building].",
        ],
        &[
            ("building", "In which building does it stand?"),
            ("colour", "What colour is it?"),
            ("furniture", "Which piece of furniture is it?"),
            ("material", "Which material is mentioned?"),
            ("name", "Which person is mentioned?"),
        ],
    ),
    (
        "school",
        [
            "The [profession] [name] teaches [science] in [city] and owns [count] books.",
            "[name], once a [profession], has [count] books on [science] in [city].",
            "With [count] books, [name] studies [science] in [city] to be a [profession].",
            "In [city] the [profession] bought [count] books on [science] from [name].",
        ],
        &[
            ("profession", "Which job is mentioned?"),
            ("name", "Which person is it about?"),
            ("science", "Which science is it?"),
            ("city", "Which place is it?"),
            ("count", "How many books are there?"),
        ],
    ),
    (
        "nature",
        [
            "Near the [river] [name] saw a [bird], a [animal] and then [weather].",
            "A [animal] and a [bird] fled from the [weather] at the [river], says [name].",
            "Suddenly [weather]! At the [river] [name] met a [bird] and a [animal].",
            "[name] drew a [bird] above the [river] and a [animal] in the [weather].",
        ],
        &[
            ("river", "Which river is named?"),
            ("name", "Who was there?"),
            ("bird", "Which bird was there?"),
            ("animal", "Which mammal was there?"),
            ("weather", "What was the weather?"),
        ],
    ),
    (
        "shop",
        [
            "[name] takes a [kitchenware] and a [gem] and pays [price] in the [building].",
            "For [price], the [building] sold a [kitchenware] and a [gem] to [name].",
            "In the [building], a [gem] and a [kitchenware] cost [name] [price].",
            "A [kitchenware] and a [gem] for [price]: [name] leaves the [building] happy.",
        ],
        &[
            ("name", "Who is the customer?"),
            ("kitchenware", "Which thing is for the kitchen?"),
            ("gem", "Which jewel is mentioned?"),
            ("price", "How much was paid?"),
            ("building", "Where does it happen?"),
        ],
    ),
];

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("slots");
    for (group, sentences, details) in GROUPS {
        for &(detail, question) in details {
            let name = format!("slot-{group}-{detail}");
            catalogue.draw(&name, &fill(&FIND, "{question}", question), move |random| {
                let (text, answer) = expand(random.pick(&sentences), detail, random);
                Some(Example::one(text, answer?))
            });
        }
    }
}
