//! Fills slots in sentences, such as `[city]`.

use super::super::random::Random;
use super::{categories, words};

const NAMES: &str = "Oliver Emma Sophie Thomas Peter Anna Julia Martin Laura David Helen Robert \
    Susan Paul Daniel Sarah Michael Rebecca Hannah Simon Clara Victor Nina Edward Alice George \
    Maria Henry Louise Walter";
const THINGS: &str = "lamp sofa kettle bicycle jacket guitar umbrella carpet camera suitcase \
    backpack scarf teapot mirror vase blanket bookcase mug chair hat";
const DEVICES: &str = "phone laptop printer camera radio keyboard toaster monitor speaker vacuum \
    kettle drill tablet heater fan";
const FOODS: &str = "soup pizza salad curry pasta steak risotto cake sandwich omelette pie stew \
    pancake burger";
const FIRM_STARTS: &str = "Northgate Silverline Bluewater Redstone Oakfield Brightway Kingsbridge \
    Westbrook Eastwind Greenhill Stonebridge Clearview Highland Lakeside Sunrise";
const FIRM_ENDS: &str =
    "Motors Bank Foods Airlines Systems Energy Textiles Media Insurance Logistics";

/// Draws the value of a slot, such as `city`.
pub(in crate::suite) fn slot(name: &str, random: &mut Random) -> String {
    let table = match name {
        "name" => NAMES,
        "thing" => THINGS,
        "device" => DEVICES,
        "food" => FOODS,
        "firm" => {
            let (start, end) = (words(FIRM_STARTS), words(FIRM_ENDS));
            return format!("{} {}", random.pick(&start), random.pick(&end));
        }
        "price" => return format!("{} euros", random.between(2, 99)),
        "count" => return random.between(2, 40).to_string(),
        "time" => {
            let (hour, quarter) = (random.between(1, 12), random.below(4) * 15);
            return format!("{hour}:{quarter:02}");
        }
        category => categories::named(category).map_or("", |category| category.words),
    };
    random.pick(&words(table)).to_owned()
}

/// Fills every slot of a sentence with its own draw. Returns the sentence and the value of the
/// slot `wanted`.
pub(in crate::suite) fn expand(
    sentence: &str,
    wanted: &str,
    random: &mut Random,
) -> (String, Option<String>) {
    let mut text = sentence.to_owned();
    let mut found = None;
    while let Some((start, end)) = text.find('[').zip(text.find(']')) {
        let name = &text[start + 1..end];
        let value = slot(name, random);
        if name == wanted {
            found = Some(value.clone());
        }
        text.replace_range(start..=end, &value);
    }
    (with_articles(text), found)
}

/// A value for each slot of a sentence, with the slot's name.
pub(in crate::suite) fn draw_slots(
    sentence: &'static str,
    random: &mut Random,
) -> Vec<(&'static str, String)> {
    let slots = sentence.split('[').skip(1);
    let names = slots.filter_map(|rest| rest.split_once(']').map(|(name, _)| name));
    names.map(|name| (name, slot(name, random))).collect()
}

/// The sentence with these values in its slots.
pub(in crate::suite) fn fill_slots(sentence: &str, values: &[(&str, String)]) -> String {
    let mut text = sentence.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("[{name}]"), value);
    }
    with_articles(text)
}

/// Templates have `a` before every slot: uses `an` before a vowel.
fn with_articles(mut text: String) -> String {
    for vowel in ["a", "e", "i", "o", "u"] {
        text = text.replace(&format!(" a {vowel}"), &format!(" an {vowel}"));
        if text.starts_with(&format!("A {vowel}")) {
            text.insert(1, 'n');
        }
    }
    text.replace(" an eu", " a eu")
}
