//! Sentences by class, where every class has several names. Slots as in
//! [`expand`](super::sentences::expand).

/// The names of a class, separated by commas, and its sentences.
pub(in crate::suite) type Topic = (&'static str, &'static [&'static str]);

/// Part of task names, and classes that exclude each other.
pub(in crate::suite) const GROUPS: [(&str, &[Topic]); 4] = [
    ("support", &SUPPORT),
    ("purpose", &PURPOSES),
    ("mood", &MOODS),
    ("subject", &SUBJECTS),
];

/// Messages to a shop.
const SUPPORT: [Topic; 7] = [
    (
        "billing, payment, invoice",
        &[
            "I was charged twice for the [thing].",
            "My invoice shows [price] too much.",
            "Why did you take [price] from my bank account?",
            "My credit card was refused, what now?",
            "Please send me the receipt for [weekday].",
            "Can I pay for the [thing] in three parts?",
            "The amount on the bill for the [device] is wrong.",
            "There is a fee of [price] that I do not understand.",
        ],
    ),
    (
        "shipping, delivery, parcel",
        &[
            "My [thing] has not arrived yet.",
            "The driver left my box at the wrong house.",
            "Can you bring the [thing] on [weekday] instead?",
            "It says the [device] is on its way since [weekday].",
            "How long does it take to send a [thing] to [country]?",
            "The courier never rang at my door.",
            "Where is the package that I ordered [count] days ago?",
            "The tracking number for my [thing] does not work.",
        ],
    ),
    (
        "technical, fault, malfunction",
        &[
            "My [device] does not switch on any more.",
            "The [device] makes a strange noise.",
            "The app crashes whenever I open it.",
            "After the update the [device] stays dark.",
            "The [device] loses its connection every [count] minutes.",
            "Error [count] appears on the screen of the [device].",
            "The [device] gets far too hot.",
            "The button on my [device] is stuck.",
        ],
    ),
    (
        "account, login, profile",
        &[
            "I forgot my password.",
            "Please change my name to [name].",
            "I cannot sign in since [weekday].",
            "How do I delete my user data?",
            "My e-mail address has changed.",
            "The code to confirm my registration never came.",
            "Someone else seems to use my user name.",
            "I moved to [city], please update my address.",
        ],
    ),
    (
        "return, exchange, refund",
        &[
            "I would like to send the [thing] back.",
            "The [thing] is too small, can I swap it for a larger one?",
            "I do not like the [thing] and want my money again.",
            "You sent me a [thing] in the wrong colour, please take it back.",
            "Can I give back the [device] after [count] days?",
            "Which label do I stick on the box that goes back to you?",
            "The [thing] is not what I ordered, I want another one.",
            "I changed my mind about the [device].",
        ],
    ),
    (
        "sales, offer, advice",
        &[
            "Which [device] would you recommend for a [profession]?",
            "Do you also have the [thing] in green?",
            "Is there a discount if I buy [count] of them?",
            "When will the new [device] be in the shops?",
            "What is the difference between the two models of the [device]?",
            "Is the [thing] still available?",
            "What would [count] pieces of the [thing] cost us?",
            "I am looking for a present for a [profession].",
        ],
    ),
    (
        "praise, compliment, thanks",
        &[
            "The [thing] is even nicer than in the picture, well done!",
            "Thank you, [name] from your team was very kind.",
            "Best shop in [city], I will come again.",
            "I love my new [device]!",
            "Everything went perfectly, five stars.",
            "What a beautiful [thing], my whole family is happy with it.",
            "Your service is great, please tell [name].",
            "I have never had such a good [device].",
        ],
    ),
];

/// What a sentence is said for.
const PURPOSES: [Topic; 7] = [
    (
        "question, enquiry, asking",
        &[
            "How far is it to [city]?",
            "Who took the [thing]?",
            "When does the train to [city] leave?",
            "Do you know where [name] lives?",
            "Why is the [device] so loud?",
            "What time is it in [country]?",
            "Is the [animal] yours?",
        ],
    ),
    (
        "apology, regret, excuse",
        &[
            "I am so sorry that I broke the [thing].",
            "Please forgive me, I forgot your birthday.",
            "It was my mistake, the [device] was not your fault.",
            "Sorry that I am [count] minutes late.",
            "I regret what I said on [weekday].",
            "I apologise for the noise that our [animal] made.",
            "My fault, I took your [thing] by accident.",
        ],
    ),
    (
        "invitation, welcome, summons",
        &[
            "Come to my party on [weekday]!",
            "We would be glad to see you at our wedding in [city].",
            "Join us for [food] at [time].",
            "You and [name] are cordially asked to dinner.",
            "Do come and visit us in [country] this summer.",
            "There is a seat for you at our table on [weekday].",
            "Be our guest at the opening in [city].",
        ],
    ),
    (
        "warning, caution, alert",
        &[
            "Watch out, the [animal] bites!",
            "Do not touch the [device], it is hot.",
            "Careful, the road to [city] is icy.",
            "Never open the door to strangers.",
            "Stay away from the cliff.",
            "Mind the step in front of the [thing].",
            "Do not eat the [food], it has gone bad.",
        ],
    ),
    (
        "promise, pledge, assurance",
        &[
            "I will bring the [thing] back on [weekday], you have my word.",
            "I shall never lie to you again.",
            "You can count on me, I will feed the [animal].",
            "We guarantee that the [device] lasts [count] years.",
            "I swear I will pay you the [price].",
            "I give you my word that [name] will be there.",
            "Whatever happens, I will help you move to [city].",
        ],
    ),
    (
        "order, command, instruction",
        &[
            "Close the window.",
            "Bring me the [thing] at once.",
            "Turn left behind the station.",
            "Sit down and be quiet.",
            "Cut the [food] into small pieces.",
            "Put the [device] on the table.",
            "Hand in your work on [weekday].",
        ],
    ),
    (
        "statement, remark, fact",
        &[
            "The [animal] sleeps under the tree.",
            "[name] has lived in [city] for [count] years.",
            "Our [device] stands in the kitchen.",
            "The shop opens at [time].",
            "There are [count] chairs in the room.",
            "[city] lies by a river.",
            "On [weekday] we had [food].",
        ],
    ),
];

/// What a speaker feels.
const MOODS: [Topic; 6] = [
    (
        "joy, happiness, delight",
        &[
            "I passed the exam, hooray!",
            "What a wonderful day in [city].",
            "I could dance, [name] said yes!",
            "Our little [animal] is healthy again, I am so glad.",
            "I smile whenever I think of [country].",
            "We won, we really won!",
            "This is the best [food] of my life.",
        ],
    ),
    (
        "anger, rage, annoyance",
        &[
            "I am fed up with this [device]!",
            "How dare [name] take my [thing]?",
            "Stop shouting or I will throw you out.",
            "That liar cheated me out of [price].",
            "I could smash that [thing].",
            "Who parked in front of my door again?",
            "[count] minutes on hold, this is outrageous.",
        ],
    ),
    (
        "fear, anxiety, panic",
        &[
            "I heard steps behind me and my heart raced.",
            "Please do not leave me alone in the dark.",
            "What if the [animal] attacks us?",
            "My hands tremble when I think of the operation on [weekday].",
            "I dare not look down from here.",
            "There is somebody in the cellar, help.",
            "I am scared of flying to [country].",
        ],
    ),
    (
        "sadness, sorrow, grief",
        &[
            "I cried all night after [name] had gone.",
            "Our old [animal] died on [weekday].",
            "Nothing is as it was since she left.",
            "I miss my home in [city] so much.",
            "I feel empty and alone.",
            "His grave is covered with flowers.",
            "I lost the [thing] of my late mother.",
        ],
    ),
    (
        "surprise, astonishment, amazement",
        &[
            "I never thought that [name] would come!",
            "Wow, the [thing] is made of gold?",
            "You are moving to [country]? I had no idea!",
            "Suddenly a [animal] stood in our kitchen.",
            "Unbelievable, he ate [count] pieces of [food].",
            "I could not believe my eyes.",
            "Who would have expected snow in [city]?",
        ],
    ),
    (
        "boredom, tiredness, weariness",
        &[
            "Nothing happens here, I yawn all day.",
            "The speech went on and on for [count] hours.",
            "Another Sunday with nothing to do.",
            "The film was so dull that I fell asleep.",
            "I have seen this [thing] a hundred times.",
            "I stare at the clock, it is only [time].",
            "Same [food], same talk, every [weekday].",
        ],
    ),
];

/// What a sentence is about.
const SUBJECTS: [Topic; 12] = [
    (
        "sport, athletics, games",
        &[
            "The goalkeeper saved a penalty.",
            "[name] ran the marathon in [city].",
            "Our team lost by [count] points.",
            "The coach praised the young striker.",
            "She trains for the swimming championship.",
            "The referee ended the match.",
        ],
    ),
    (
        "food, cooking, cuisine",
        &[
            "Stir the [food] and add some salt.",
            "The chef roasts onions in butter.",
            "[name] baked bread this morning.",
            "The [food] needs ten more minutes in the oven.",
            "Peel the carrots and boil them.",
            "Their menu has [count] kinds of soup.",
        ],
    ),
    (
        "travel, tourism, holidays",
        &[
            "Our flight to [country] leaves at [time].",
            "The hotel in [city] has a pool.",
            "[name] packed a suitcase for two weeks.",
            "We booked a trip to the coast of [country].",
            "The guide showed us the old town of [city].",
            "My passport has expired.",
        ],
    ),
    (
        "health, medicine, illness",
        &[
            "The doctor gave [name] tablets against the fever.",
            "She broke her leg and lies in hospital.",
            "The nurse measured my blood pressure.",
            "Wash the wound and bandage it.",
            "I have had a cough for [count] days.",
            "The vaccine protects against flu.",
        ],
    ),
    (
        "money, finance, business",
        &[
            "Shares of [firm] rose by [count] percent.",
            "The bank raised its interest rates.",
            "[firm] reports higher profits.",
            "He put his savings into bonds.",
            "The merger of both firms cost millions.",
            "Taxes on imports will fall.",
        ],
    ),
    (
        "music, concerts, songs",
        &[
            "The choir sang in the church of [city].",
            "[name] plays the violin in an orchestra.",
            "Her new album has [count] songs.",
            "The band tuned their guitars.",
            "The singer forgot the second verse.",
            "We heard a piano through the wall.",
        ],
    ),
    (
        "school, education, lessons",
        &[
            "The teacher handed out the exams.",
            "[name] studies history at the university of [city].",
            "The pupils have maths at [time].",
            "Her homework was full of mistakes.",
            "He failed the test and repeats the year.",
            "The class has [count] children.",
        ],
    ),
    (
        "weather, climate, forecast",
        &[
            "Heavy rain is expected in [city].",
            "It will be sunny on [weekday].",
            "Fog covers the valleys.",
            "The storm brought hail and thunder.",
            "It was minus [count] degrees last night.",
            "A warm wind blows from the south.",
        ],
    ),
    (
        "animals, nature, wildlife",
        &[
            "The [animal] hunts at night.",
            "A [animal] raises its young in spring.",
            "Storks build their nests on roofs.",
            "Wolves have returned to the forests of [country].",
            "The zoo of [city] has a new [animal].",
            "Bees dance to show where flowers are.",
        ],
    ),
    (
        "technology, computers, electronics",
        &[
            "The new chip is twice as fast.",
            "[name] writes software for robots.",
            "Hackers attacked the network of [firm].",
            "The [device] is controlled by an app.",
            "Install the update and restart the computer.",
            "The satellite sends data to earth.",
        ],
    ),
    (
        "politics, government, elections",
        &[
            "The parliament of [country] passed a law.",
            "The minister resigned on [weekday].",
            "Voters chose a new mayor in [city].",
            "Both presidents signed the treaty.",
            "The opposition demands new elections.",
            "The party lost [count] seats.",
        ],
    ),
    (
        "art, painting, museums",
        &[
            "The museum in [city] shows [count] portraits.",
            "[name] mixes colours on a palette.",
            "The sculptor works in marble.",
            "A drawing by an unknown master was sold.",
            "The gallery opens an exhibition on [weekday].",
            "She paints landscapes in oil.",
        ],
    ),
];
