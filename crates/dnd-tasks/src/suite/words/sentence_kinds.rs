//! Sentences by their form, with slots that [`expand`](super::sentences::expand) fills.

use super::messages::Labelled;

/// Kinds of sentences.
pub(in crate::suite) const KINDS: [Labelled; 3] = [
    (
        "question",
        &[
            "Where did [name] leave the [thing]",
            "Has the [profession] been to [city]",
            "Why is there a [animal] in the [vehicle]",
            "How much is the [thing]",
        ],
    ),
    (
        "statement",
        &[
            "[name] left the [thing] in [city]",
            "The [profession] has been to [city]",
            "There is a [animal] in the [vehicle]",
            "The [thing] costs [price]",
        ],
    ),
    (
        "command",
        &[
            "Leave the [thing] with [name]",
            "Take the [profession] to [city]",
            "Get the [animal] out of the [vehicle]",
            "Pay [price] for the [thing]",
        ],
    ),
];

/// Tenses.
pub(in crate::suite) const TENSES: [Labelled; 3] = [
    (
        "past",
        &[
            "[name] visited the [profession] in [city].",
            "The [animal] slept under the [thing].",
            "They sold the [vehicle] to [name].",
            "We ate [food] in [city].",
        ],
    ),
    (
        "present",
        &[
            "[name] visits the [profession] in [city].",
            "The [animal] sleeps under the [thing].",
            "They sell the [vehicle] to [name].",
            "We eat [food] in [city].",
        ],
    ),
    (
        "future",
        &[
            "[name] will visit the [profession] in [city].",
            "The [animal] will sleep under the [thing].",
            "They will sell the [vehicle] to [name].",
            "We will eat [food] in [city].",
        ],
    ),
];

/// Polite and familiar sentences.
pub(in crate::suite) const TONES: [Labelled; 2] = [
    (
        "formal",
        &[
            "Dear Sir or Madam, I am writing to enquire about the [device].",
            "We would be most grateful if you could inform [name] by [weekday].",
            "I regret to inform you that the [device] is no longer available.",
            "Yours faithfully, [name], [firm]",
        ],
    ),
    (
        "informal",
        &[
            "Hey, what's up with the [device]?",
            "Could you just ping [name] by [weekday], mate?",
            "Sorry, the [device] is gone, no idea where!",
            "Cheers and see ya, [name]",
        ],
    ),
];

/// Sentences with and without a negation.
pub(in crate::suite) const NEGATIONS: [Labelled; 2] = [
    (
        "negative",
        &[
            "[name] has never been to [city].",
            "The [profession] does not own a [vehicle].",
            "Nobody saw the [animal] near the [thing].",
            "There is no [food] left for [name].",
        ],
    ),
    (
        "affirmative",
        &[
            "[name] has often been to [city].",
            "The [profession] owns a [vehicle].",
            "Everybody saw the [animal] near the [thing].",
            "There is some [food] left for [name].",
        ],
    ),
];

/// Sentences in the active and the passive voice.
pub(in crate::suite) const VOICES: [Labelled; 2] = [
    (
        "active",
        &[
            "[name] repairs the [thing] of the [profession].",
            "The [profession] wrote a letter to [firm].",
            "A [animal] followed the [vehicle] to [city].",
        ],
    ),
    (
        "passive",
        &[
            "The [thing] of the [profession] is repaired by [name].",
            "A letter was written to [firm] by the [profession].",
            "The [vehicle] was followed to [city] by a [animal].",
        ],
    ),
];
