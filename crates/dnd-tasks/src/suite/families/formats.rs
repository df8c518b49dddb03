//! Reading and writing fields of JSON, CSV, addresses and other formats.

use super::super::catalogue::{Catalogue, Example, fill};
use super::super::random::Random;
use super::super::words::{categories, sentences, words};
use super::records::{self, Record, city};

const READ: [&str; 5] = [
    "What is {part}? {0}",
    "Give {part}: {0}",
    "{0}\nName {part}.",
    "Read {part} from this: {0}",
    "Here is {kind}: {0}\nWhat is {part}?",
];
const WRITE: [&str; 5] = [
    "Write this {how}: {0}",
    "{0}\nWrite it {how}.",
    "Format this {how}: {0}",
    "Give the following {how}: {0}",
    "Turn this into text {how}: {0}",
];

type Draw = fn(&mut Random) -> Record;

/// Adds the family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("formats");
    read(
        catalogue,
        "a JSON object",
        records::person_json,
        &[
            ("json-name", "the value of \"name\""),
            ("json-city", "the value of \"city\""),
            ("json-age", "the value of \"age\""),
        ],
    );
    read(
        catalogue,
        "a line of CSV",
        |random| records::csv(random, ","),
        &[
            ("csv-first", "the first column"),
            ("csv-second", "the second column"),
            ("csv-third", "the third column"),
            ("csv-last", "the last column"),
        ],
    );
    read(
        catalogue,
        "a line of a table",
        |random| records::csv(random, " | "),
        &[
            ("table-first", "the first cell"),
            ("table-second", "the second cell"),
            ("table-third", "the third cell"),
        ],
    );
    read(
        catalogue,
        "an e-mail address",
        records::email,
        &[
            ("email-user", "the part before the at sign"),
            ("email-domain", "the domain"),
            ("email-ending", "the ending after the last dot"),
        ],
    );
    read(
        catalogue,
        "a phone number",
        records::phone,
        &[
            ("phone-country", "the country code with its plus sign"),
            ("phone-area", "the area code in brackets"),
            ("phone-number", "the number after the area code"),
        ],
    );
    read(
        catalogue,
        "a web address",
        records::url,
        &[
            ("url-scheme", "the scheme before the colon"),
            ("url-host", "the host"),
            ("url-last", "the last part of the path"),
        ],
    );
    read(
        catalogue,
        "a path of a file",
        records::path,
        &[
            ("file-folder", "the name of the folder that holds the file"),
            ("file-stem", "the name of the file without its ending"),
            ("file-extension", "the file's ending without the dot"),
        ],
    );
    read(
        catalogue,
        "a setting",
        records::setting,
        &[("setting-key", "the key"), ("setting-value", "the value")],
    );
    read(
        catalogue,
        "a version",
        records::version,
        &[
            ("version-major", "the major version"),
            ("version-minor", "the minor version"),
            ("version-patch", "the patch level"),
        ],
    );
    read(
        catalogue,
        "a line of text",
        records::marked,
        &[
            ("text-in-quotes", "the word in quotation marks"),
            ("text-in-brackets", "the word in round brackets"),
            ("text-in-stars", "the word between stars"),
            (
                "text-hashtag",
                "the word after the hash sign, without the sign",
            ),
        ],
    );
    add_writings(catalogue);
}

/// Adds one task per field of a record, in field order.
fn read(
    catalogue: &mut Catalogue,
    kind: &'static str,
    record: Draw,
    parts: &[(&'static str, &'static str)],
) {
    for (place, (name, part)) in parts.iter().copied().enumerate() {
        let phrasings = fill(&fill(&READ, "{part}", part), "{kind}", kind);
        catalogue.draw(name, &phrasings, move |random| {
            let (text, fields) = record(random);
            Some(Example::one(text, fields.get(place)?))
        });
    }
}

/// Adds tasks that write a record in a format.
fn add_writings(catalogue: &mut Catalogue) {
    type Writing = fn(&str, &str) -> String;
    let writings: [(&str, &str, Writing); 7] = [
        (
            "write-json",
            "as a JSON object with the fields \"name\" and \"city\"",
            |name, city| format!("{{\"name\": \"{name}\", \"city\": \"{city}\"}}"),
        ),
        (
            "write-json-list",
            "as a JSON list of two strings",
            |name, city| format!("[\"{name}\", \"{city}\"]"),
        ),
        (
            "write-csv",
            "as a line of CSV without spaces",
            |name, city| format!("{name},{city}"),
        ),
        (
            "write-setting",
            "as key=value, with the name as the key",
            |name, city| format!("{name}={city}"),
        ),
        (
            "write-tag",
            "as an XML element of the city, named after the person",
            |name, city| format!("<{name}>{city}</{name}>"),
        ),
        (
            "write-brackets",
            "with the city in brackets after the name",
            |name, city| format!("{name} ({city})"),
        ),
        (
            "write-city-first",
            "as the city, a colon and the name",
            |name, city| format!("{city}: {name}"),
        ),
    ];
    for (name, how, write) in writings {
        catalogue.draw(name, &fill(&WRITE, "{how}", how), move |random| {
            let (person, city) = (sentences::slot("name", random), city(random));
            let answer = write(&person, &city);
            Some(Example::one(format!("{person} lives in {city}"), answer))
        });
    }
    let countries = categories::named("country").map_or("", |category| category.words);
    catalogue.draw(
        "write-bullets",
        &fill(
            &WRITE,
            "{how}",
            "with a hyphen and a space before every item, on one line",
        ),
        move |random| {
            let items = random.sample(&words(countries), 3);
            Some(Example::one(
                items.join(", "),
                format!("- {}", items.join(" - ")),
            ))
        },
    );
}
