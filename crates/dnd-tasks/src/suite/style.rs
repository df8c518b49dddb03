//! Variants of a task that differ only in the form of the answer.

use super::catalogue::{Catalogue, Example};
use super::random::Random;

/// A form of answer, with the sentences that request it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Style {
    /// In capital letters.
    Upper,
    /// With a full stop at the end.
    Sentence,
    /// In double quotes.
    Quoted,
    /// As a JSON object with the field `answer`.
    Json,
    /// After the word `Answer:`.
    Labelled,
}

impl Style {
    /// Suffix of the names of tasks in this style.
    fn suffix(self) -> &'static str {
        match self {
            Self::Upper => "upper",
            Self::Sentence => "sentence",
            Self::Quoted => "quoted",
            Self::Json => "json",
            Self::Labelled => "labelled",
        }
    }

    /// Sentences that request the style.
    fn requests(self) -> [&'static str; 5] {
        match self {
            Self::Upper => [
                "Answer in capital letters.",
                "Write the answer in upper case.",
                "Use capital letters only.",
                "Your answer should be all upper case.",
                "Reply in capitals.",
            ],
            Self::Sentence => [
                "End the answer with a full stop.",
                "Put a full stop after the answer.",
                "Close your answer with a full stop.",
                "The answer should end with a full stop.",
                "Reply with the answer and a full stop.",
            ],
            Self::Quoted => [
                "Put the answer in double quotes.",
                "Answer in double quotes.",
                "Write quotation marks around the answer.",
                "Enclose your answer in double quotes.",
                "Reply with the answer in quotation marks.",
            ],
            Self::Json => [
                "Answer as JSON with the field \"answer\".",
                "Reply with a JSON object that has the key \"answer\".",
                "Give JSON with one field, \"answer\".",
                "Format your reply as JSON, field \"answer\".",
                "Use a JSON object with \"answer\" as the key.",
            ],
            Self::Labelled => [
                "Begin your reply with \"Answer:\".",
                "Write \"Answer:\" before the answer.",
                "Start with the label \"Answer:\".",
                "Put \"Answer:\" in front.",
                "Reply in the form \"Answer: ...\".",
            ],
        }
    }

    fn apply(self, answer: &str) -> String {
        match self {
            Self::Upper => answer.to_uppercase(),
            Self::Sentence => format!("{answer}."),
            Self::Quoted => format!("\"{answer}\""),
            Self::Json => format!("{{\"answer\": \"{answer}\"}}"),
            Self::Labelled => format!("Answer: {answer}"),
        }
    }
}

impl Catalogue {
    /// Adds a task and one variant per style. Answers must not need escaping in [`Style::Json`].
    pub(super) fn draw_in_styles(
        &mut self,
        name: &str,
        phrasings: &[impl AsRef<str>],
        styles: &[Style],
        draw: impl Fn(&mut Random) -> Option<Example> + Clone + Send + Sync + 'static,
    ) {
        self.draw(name, phrasings, draw.clone());
        for style in styles.iter().copied() {
            let styled: Vec<String> = phrasings
                .iter()
                .zip(style.requests().iter().cycle())
                .map(|(phrasing, request)| format!("{}\n{request}", phrasing.as_ref()))
                .collect();
            let draw = draw.clone();
            self.draw(
                &format!("{name}-{}", style.suffix()),
                &styled,
                move |random| {
                    let example = draw(random)?;
                    Some(Example {
                        answer: style.apply(&example.answer),
                        ..example
                    })
                },
            );
        }
    }
}
