//! Random texts with fields, such as addresses and lines of CSV.

use super::super::random::Random;
use super::super::words::sentences;
use super::{list, word};

/// A text and its fields, in the order of the tasks that ask for them.
pub(super) type Record = (String, Vec<String>);

/// The name of a city.
pub(super) fn city(random: &mut Random) -> String {
    sentences::slot("city", random)
}

/// A JSON object: name, city, age.
pub(super) fn person_json(random: &mut Random) -> Record {
    let fields = vec![
        sentences::slot("name", random),
        city(random),
        random.between(18, 90).to_string(),
    ];
    let mut parts = [
        format!("\"name\": \"{}\"", fields[0]),
        format!("\"city\": \"{}\"", fields[1]),
        format!("\"age\": {}", fields[2]),
    ];
    random.shuffle(&mut parts);
    (format!("{{{}}}", parts.join(", ")), fields)
}

/// A row of four cells.
pub(super) fn csv(random: &mut Random, separator: &str) -> Record {
    let mut fields: Vec<String> = list(random, 3, 3).into_iter().map(str::to_owned).collect();
    let place = random.index(4);
    fields.insert(place, random.between(1, 99).to_string());
    (fields.join(separator), fields)
}

/// An e-mail address: user, domain, ending.
pub(super) fn email(random: &mut Random) -> Record {
    let ending = random.pick(&["com", "org", "net", "de", "fr", "info"]);
    let user = format!("{}.{}", word(random), word(random));
    let domain = format!("{}.{ending}", word(random));
    (
        format!("{user}@{domain}"),
        vec![user, domain, ending.to_owned()],
    )
}

/// A phone number: country, area, number.
pub(super) fn phone(random: &mut Random) -> Record {
    let country = format!(
        "+{}",
        random.pick(&["1", "33", "34", "39", "44", "49", "81"])
    );
    let area = random.between(200, 989).to_string();
    let number = random.between(100_000, 9_999_999).to_string();
    (
        format!("{country} ({area}) {number}"),
        vec![country, area, number],
    )
}

/// A web address: scheme, host, last part.
pub(super) fn url(random: &mut Random) -> Record {
    let scheme = random.pick(&["http", "https", "ftp"]);
    let host = format!(
        "www.{}.{}",
        word(random),
        random.pick(&["com", "org", "net", "io"])
    );
    let (first, last) = (word(random), word(random));
    let text = format!("{scheme}://{host}/{first}/{last}");
    (text, vec![scheme.to_owned(), host, last.to_owned()])
}

/// A file's path: folder, stem, ending.
pub(super) fn path(random: &mut Random) -> Record {
    let names = list(random, 3, 3);
    let ending = random.pick(&["txt", "pdf", "png", "csv", "zip", "mp3", "doc"]);
    let text = format!("/{}/{}/{}.{ending}", names[0], names[1], names[2]);
    (
        text,
        [names[1], names[2], ending].map(str::to_owned).to_vec(),
    )
}

/// A setting: key, value.
pub(super) fn setting(random: &mut Random) -> Record {
    let key = format!("{}_{}", word(random), word(random));
    let value = random.between(1, 999).to_string();
    (format!("{key} = {value}"), vec![key, value])
}

/// A program with its version: major, minor, patch.
pub(super) fn version(random: &mut Random) -> Record {
    let numbers =
        [random.between(1, 30), random.below(30), random.below(30)].map(|n| n.to_string());
    (
        format!("{} {}", word(random), numbers.join(".")),
        numbers.to_vec(),
    )
}

/// Words with different marks: quotation marks, brackets, stars, hash sign.
pub(super) fn marked(random: &mut Random) -> Record {
    let names = list(random, 6, 6);
    let mut parts = [
        format!("\"{}\"", names[0]),
        format!("({})", names[1]),
        format!("*{}*", names[2]),
        format!("#{}", names[3]),
        names[4].to_owned(),
        names[5].to_owned(),
    ];
    random.shuffle(&mut parts);
    (
        parts.join(" "),
        names[..4].iter().map(|name| (*name).to_owned()).collect(),
    )
}
