//! Short messages by label, with slots that [`expand`](super::sentences::expand) fills.

/// A label and its sentences.
pub(in crate::suite) type Labelled = (&'static str, &'static [&'static str]);

/// News in one sentence.
pub(in crate::suite) const NEWS: [Labelled; 4] = [
    (
        "sport",
        &[
            "[name] scored [count] points in the final of [city].",
            "The team of [city] won the cup on [weekday].",
            "The coach of [city] leaves the [sport] club after [count] defeats.",
            "[name] wins the gold medal in [sport].",
        ],
    ),
    (
        "politics",
        &[
            "The parliament of [country] voted on [weekday] for new elections.",
            "Minister [name] of [country] resigned after [count] months.",
            "The president of [country] met the opposition in [city].",
            "Voters in [country] go to the polls on [weekday].",
        ],
    ),
    (
        "weather",
        &[
            "Heavy [weather] is expected in [city] on [weekday].",
            "[country] waits for the end of the [weather].",
            "After [count] days of [weather] the sky over [city] clears.",
            "Forecast for [weekday]: [weather] near [city].",
        ],
    ),
    (
        "business",
        &[
            "Shares of [firm] fell on [weekday] by [count] percent.",
            "[firm] will open [count] new shops in [country].",
            "[name] becomes the new head of [firm].",
            "Profits of [firm] rose thanks to sales in [country].",
        ],
    ),
];

/// Messages to a colleague.
pub(in crate::suite) const NOTES: [Labelled; 2] = [
    (
        "urgent",
        &[
            "The server in [city] is down, [name] needs you at once!",
            "Please call [name] back immediately, the [profession] is waiting.",
            "Water is running into the cellar of [firm], come right now.",
            "We lose [count] customers a minute, stop the [device] now!",
            "The contract with [firm] ends in ten minutes and nobody has signed.",
            "Emergency: [name] is locked in with a [animal].",
        ],
    ),
    (
        "normal",
        &[
            "The server in [city] gets a new name next year, [name] says.",
            "Please call [name] back whenever you like, there is no hurry.",
            "The cellar of [firm] will be painted some time in spring.",
            "We now have [count] customers more than last year.",
            "The contract with [firm] runs for two more years.",
            "For your information: [name] has bought a [animal].",
        ],
    ),
];

/// E-mails.
pub(in crate::suite) const MAILS: [Labelled; 2] = [
    (
        "spam",
        &[
            "Congratulations [name], you have won [count] million dollars! Click here.",
            "Cheap [device]s, today only, 90% off!!! Buy now.",
            "Make [price] an hour from home, no experience needed, reply today.",
            "Dear friend, a rich [profession] in [city] wants to send you money.",
            "Your prize is waiting: a free [device]! Confirm your password.",
        ],
    ),
    (
        "genuine",
        &[
            "Hello [name], shall we meet on [weekday] at [time]?",
            "The [device] that you asked about is back from the repair shop.",
            "Your working hours for [weekday] have changed, please look at the plan.",
            "Dear [name], thank you for the visit; the [profession] in [city] sends regards.",
            "The minutes of our meeting of [weekday] are attached.",
        ],
    ),
];

/// Customer requests.
pub(in crate::suite) const REQUESTS: [Labelled; 4] = [
    (
        "refund",
        &[
            "I want my [price] back for the [device].",
            "Please return the money for the [thing] to [name].",
            "The [device] is broken; when do I get back my [price]?",
        ],
    ),
    (
        "delivery",
        &[
            "Where is the [device] that should have come on [weekday]?",
            "Can you bring the [thing] to [city] on [weekday]?",
            "The parcel for [name] has not arrived in [city].",
        ],
    ),
    (
        "account",
        &[
            "I cannot log in as [name] since [weekday].",
            "Please change my address to [city].",
            "[name] forgot the password and needs a new one before [weekday].",
        ],
    ),
    (
        "praise",
        &[
            "Thank you for the beautiful [thing], says [name].",
            "Your people in [city] were very helpful with the [device].",
            "I love my new [device], well done!",
        ],
    ),
];

/// Smart home commands.
pub(in crate::suite) const HOME: [Labelled; 4] = [
    (
        "light",
        &[
            "Make it brighter above the [thing].",
            "Switch off the lamp at [time].",
            "It is too dark for [name] to read.",
        ],
    ),
    (
        "music",
        &[
            "Play the song about the [animal].",
            "[name] would like to hear some jazz at [time].",
            "Turn up the volume of the [instrument] concert.",
        ],
    ),
    (
        "heating",
        &[
            "It is too cold in here for [name].",
            "Make the bedroom three degrees warmer at [time].",
            "The [thing] is freezing, turn up the radiator.",
        ],
    ),
    (
        "alarm",
        &[
            "Wake me at [time].",
            "Wake [name] on [weekday] at [time].",
            "Ring in [count] minutes so that I get up for the [food].",
        ],
    ),
];

/// Feelings.
pub(in crate::suite) const FEELINGS: [Labelled; 4] = [
    (
        "joy",
        &[
            "Hooray, [name] has invited me to [city]!",
            "I am so glad that the [animal] is well again.",
            "What a lovely [thing], thank you, [name]!",
        ],
    ),
    (
        "anger",
        &[
            "How dare [name] take my [thing] to [city]!",
            "I am furious with the [profession] about the [vehicle].",
            "Stop shouting at the [animal], [name], it drives me mad!",
        ],
    ),
    (
        "fear",
        &[
            "I dare not go to [city] alone, [name].",
            "Something moves behind the [thing], I am trembling.",
            "Help, the [animal] is after [name] and me!",
        ],
    ),
    (
        "sadness",
        &[
            "I have been crying since [name] went to [city].",
            "Our old [animal] died on [weekday], and I miss it so much.",
            "Nobody came to see me, only the [thing] is left of [name].",
        ],
    ),
];
