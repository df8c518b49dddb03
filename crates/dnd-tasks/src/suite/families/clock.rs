//! Times of day.

use super::super::catalogue::{Catalogue, Example, fill};

const CLOCK: [&str; 5] = [
    "Write the time {0} {how}.",
    "Time: {0}\nWrite it {how}.",
    "Give {0} {how}.",
    "How is {0} written {how}?",
    "Put this time {how}: {0}",
];
const LATER: [&str; 5] = [
    "What time is it {1} minutes after {0}?",
    "It is {0}. Which time is it in {1} minutes?",
    "A film begins at {0} and lasts {1} minutes. When is it over?",
    "Add {1} minutes to {0}.",
    "Time: {0}\nWhat does the clock show {1} minutes later?",
];

/// Adds to the `dates` family.
pub(super) fn add(catalogue: &mut Catalogue) {
    catalogue.family("dates");
    let half_day = |hour: u64, minute: u64| {
        let (shown, half) = ((hour + 11) % 12 + 1, if hour < 12 { "am" } else { "pm" });
        format!("{shown}:{minute:02} {half}")
    };
    let whole_day = |hour: u64, minute: u64| format!("{hour:02}:{minute:02}");
    catalogue.draw(
        "clock-to-24",
        &fill(&CLOCK, "{how}", "on the 24 hour clock"),
        move |random| {
            let (hour, minute) = (random.below(24), random.below(60));
            Some(Example::one(
                half_day(hour, minute),
                whole_day(hour, minute),
            ))
        },
    );
    catalogue.draw(
        "clock-to-12",
        &fill(&CLOCK, "{how}", "with am or pm"),
        move |random| {
            let (hour, minute) = (random.below(24), random.below(60));
            Some(Example::one(
                whole_day(hour, minute),
                half_day(hour, minute),
            ))
        },
    );
    catalogue.draw("clock-later", &LATER, move |random| {
        let (hour, minute) = (random.below(22), random.below(12) * 5);
        let minutes = random.between(1, 18) * 5;
        let end = hour * 60 + minute + minutes;
        let fields = [whole_day(hour, minute), minutes.to_string()];
        Some(Example::many(fields, whole_day(end / 60, end % 60)))
    });
}
