//! Opinions by label, with slots that [`expand`](super::sentences::expand) fills.

use super::messages::Labelled;

/// Opinions on a film.
pub(in crate::suite) const FILMS: [Labelled; 2] = [
    (
        "positive",
        &[
            "[name] plays the [profession] with warmth, and I wanted to see it again.",
            "A wonderful film about a [profession] in [city].",
            "I laughed from beginning to end when the [animal] stole the [thing].",
            "The story of [name] moved everyone in the cinema.",
            "Clever, fast and beautiful: the chase through [city] is superb.",
            "The best film of the year, above all the scene with the [animal].",
            "[name] gives a brilliant performance as a [profession].",
            "Every minute in [city] was a joy.",
            "A charming tale of a [profession] and a [animal], told with great wit.",
            "I have never been so thrilled by a film about a [thing].",
        ],
    ),
    (
        "negative",
        &[
            "[name] plays the [profession] without any feeling, and I looked at my watch.",
            "A tedious film about a [profession] in [city].",
            "I nearly fell asleep before the [animal] stole the [thing].",
            "The story of [name] left everyone in the cinema cold.",
            "Dull, slow and ugly: the chase through [city] is a mess.",
            "The worst film of the year, above all the scene with the [animal].",
            "[name] gives a wooden performance as a [profession].",
            "Every minute in [city] was a torment.",
            "A silly tale of a [profession] and a [animal], told without any wit.",
            "I have never been so bored by a film about a [thing].",
        ],
    ),
];

/// Opinions of guests of a restaurant.
pub(in crate::suite) const MEALS: [Labelled; 2] = [
    (
        "positive",
        &[
            "The [food] was delicious and the waiter [name] very kind.",
            "Best [food] in [city]!",
            "We came on [weekday] and loved the [food].",
            "Fresh [food], friendly people, fair bill of [price].",
            "[name] and I will certainly come back for the [food].",
            "At [price] the [food] is a bargain.",
            "The [food] tasted like my grandmother's, simply perfect.",
            "A cosy place in [city] with excellent [food].",
        ],
    ),
    (
        "negative",
        &[
            "The [food] was cold and the waiter [name] very rude.",
            "Worst [food] in [city]!",
            "We came on [weekday] and hated the [food].",
            "Stale [food], unfriendly people, and a bill of [price].",
            "[name] and I will certainly not come back for the [food].",
            "At [price] the [food] is a rip-off.",
            "The [food] tasted like cardboard, simply awful.",
            "A dirty place in [city] with terrible [food].",
        ],
    ),
];

/// Opinions of customers on a device.
pub(in crate::suite) const DEVICES: [Labelled; 2] = [
    (
        "positive",
        &[
            "This [device] from [firm] works perfectly.",
            "The [device] arrived on [weekday] and I am very happy with it.",
            "For [price] you will not find a better [device].",
            "My [device] has run for [count] months without a problem.",
            "[name] recommended this [device] to me, and rightly so.",
            "Easy to use, light and quiet: a great [device].",
        ],
    ),
    (
        "negative",
        &[
            "This [device] from [firm] does not work at all.",
            "The [device] arrived on [weekday] and I am very unhappy with it.",
            "For [price] you will easily find a better [device].",
            "My [device] broke after [count] days.",
            "[name] warned me about this [device], and rightly so.",
            "Hard to use, heavy and noisy: a useless [device].",
        ],
    ),
];
