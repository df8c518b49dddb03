//! What the text in the page's box means, and what to say about it.

use std::collections::{HashMap, HashSet};

use dnd_adapter::{Error, prompts};

/// Prompts that the generator reads for an adapter.
pub const READ: usize = 32;
/// Fewer different prompts than this are too few to show what a task is.
const FEW: usize = 8;
/// Prompts compared for likeness; more of them would not change what is said.
const SAMPLE: usize = 256;
/// Words after which the encoder has certainly stopped reading: 32 tokens are fewer words.
const LONG_WORDS: usize = 32;
/// The same for text without spaces.
const LONG_CHARACTERS: usize = 200;
/// Share of common words above which prompts hardly differ.
const ALIKE: f64 = 0.9;
/// Share of recurring words below which prompts have nothing to do with each other.
const DIFFERENT: f64 = 0.15;

/// Reads the text of the box: a JSON list, JSON lines, a table with a column `prompt`, or one prompt a
/// line, with or without list markers.
///
/// # Errors
/// When the text is JSON or a table with a mistake, or holds no prompt; a sentence.
pub fn read(text: &str) -> Result<Vec<String>, String> {
    let kind = format_of(text);
    let bare = (kind == "txt").then(|| without_markers(text)).flatten();
    prompts::parse(bare.as_deref().unwrap_or(text), kind, "Prompts").map_err(sentence)
}

/// Reads the text of the box and says what there is to say about it. No text is no mistake.
pub fn read_and_review(text: &str) -> (Result<Vec<String>, String>, Review) {
    if text.trim().is_empty() {
        return (Ok(Vec::new()), Review::default());
    }
    let prompts = read(text);
    let mut review = Review::of(prompts.as_deref().unwrap_or_default());
    if prompts.is_ok() && format_of(text) == "txt" && without_markers(text).is_some() {
        review.hints.push("List markers were left out.".to_owned());
    }
    (prompts, review)
}

/// The error without the name of a file, which the box has not.
fn sentence(error: Error) -> String {
    let reason = match error {
        Error::Prompts { reason, .. } => reason,
        other => other.to_string(),
    };
    let mut letters = reason.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// The extension of the kind of file that the text looks like. Prose may begin with a quotation mark
/// or a bracket as well, so that a beginning alone does not make JSON.
fn format_of(text: &str) -> &'static str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let start = text.trim_start();
    if let Some(rest) = start.strip_prefix('[') {
        let next = rest.trim_start().chars().next();
        if matches!(next, None | Some('"' | '{' | ']')) {
            return "json";
        }
    }
    // Not trimmed: the header of a table may begin with a tab.
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    if start.starts_with(['{', '"'])
        && let Ok(value) = serde_json::from_str::<serde_json::Value>(first)
    {
        // A table of one column may have its header in quotation marks. No other header is JSON.
        let header = value.as_str().is_some_and(is_lone_header);
        return if header && lines.next().is_some() {
            "csv"
        } else {
            "jsonl"
        };
    }
    // A header without rows is what someone types.
    if prompts::is_header(first) && lines.next().is_some() {
        "csv"
    } else {
        "txt"
    }
}

fn is_lone_header(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("prompt")
}

/// The lines without list markers, if each of them has one.
fn without_markers(text: &str) -> Option<String> {
    let lines: Option<Vec<&str>> = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(without_marker)
        .collect();
    lines
        .filter(|lines| !lines.is_empty())
        .map(|lines| lines.join("\n"))
}

fn without_marker(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = match line.strip_prefix(['-', '*', '•']) {
        Some(rest) => rest,
        None => {
            let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
            if rest.len() == line.len() {
                return None;
            }
            rest.strip_prefix(['.', ')'])?
        }
    };
    rest.strip_prefix([' ', '\t']).map(str::trim_start)
}

/// The text that [`read`] gives back as these prompts: lines where that is possible, else JSON, a prompt
/// a line.
pub fn to_text(prompts: &[String]) -> String {
    let broken = prompts
        .iter()
        .any(|prompt| prompt.contains(['\n', '\r', '\u{feff}']));
    if !broken {
        let lines = prompts.join("\n");
        // Lines may look like JSON or a table, or have list markers that belong to them.
        if read(&lines).is_ok_and(|read| read == prompts) {
            return lines;
        }
    }
    // A string may look like the header of a table; an object does not.
    let objects = prompts.first().is_some_and(|first| is_lone_header(first));
    let values: Vec<String> = prompts
        .iter()
        .map(|prompt| {
            let value = if objects {
                serde_json::json!({ "prompt": prompt })
            } else {
                serde_json::Value::from(prompt.as_str())
            };
            value.to_string()
        })
        .collect();
    values.join("\n")
}

/// What there is to say about prompts before an adapter is generated from them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// How many prompts there are.
    pub count: usize,
    /// How many of them are different.
    pub distinct: usize,
    /// What would make a better adapter; sentences.
    pub hints: Vec<String>,
}

impl Review {
    /// Looks at prompts, in time that grows with the length of the text.
    pub fn of(prompts: &[String]) -> Self {
        let different: HashSet<&str> = prompts.iter().map(|prompt| prompt.trim()).collect();
        let distinct = different.len();
        let count = prompts.len();
        let mut hints = Vec::new();
        if count == 0 {
            return Self::default();
        }
        if distinct < FEW {
            hints.push(format!(
                "More different prompts give a better adapter; the generator reads {READ}."
            ));
        } else if (count - distinct) * 4 >= count {
            hints.push(format!(
                "Only {distinct} of the {count} prompts are different. Repeated prompts teach the \
                 generator nothing new."
            ));
        }
        if distinct >= FEW {
            hints.extend(likeness_hint(prompts));
        }
        hints.extend(length_hint(prompts));
        Self {
            count,
            distinct,
            hints,
        }
    }
}

/// Says so when prompts are too alike, or too different, to show what one task is.
fn likeness_hint(prompts: &[String]) -> Option<String> {
    let step = prompts.len().div_ceil(SAMPLE);
    let sample: Vec<HashSet<String>> = prompts.iter().step_by(step).map(|p| words(p)).collect();
    let mut prompts_with: HashMap<&str, usize> = HashMap::new();
    for word in sample.iter().flatten() {
        *prompts_with.entry(word).or_default() += 1;
    }
    let (mut common, mut recurring, mut all) = (0.0, 0.0, 0.0);
    for word in sample.iter().flatten() {
        let found = prompts_with.get(word.as_str()).copied().unwrap_or_default();
        common += found as f64 / sample.len() as f64;
        if found > 1 {
            recurring += 1.0;
        }
        all += 1.0;
    }
    // Without spaces between words there is nothing to compare.
    if all < 3.0 * sample.len() as f64 {
        return None;
    }
    if common / all > ALIKE {
        Some(
            "The prompts are much alike. Ask in different ways and about different things, as you \
             would when you use the adapter."
                .to_owned(),
        )
    } else if recurring / all < DIFFERENT {
        Some(
            "The prompts have few words in common. An adapter is made for one task: leave out \
             prompts of other tasks, and say in each prompt what is to be done."
                .to_owned(),
        )
    } else {
        None
    }
}

/// The different words at the beginning of a prompt, where the encoder reads.
fn words(prompt: &str) -> HashSet<String> {
    prompt
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(LONG_WORDS)
        .map(str::to_lowercase)
        .collect()
}

/// Says how many prompts are read in part only.
fn length_hint(prompts: &[String]) -> Option<String> {
    let long = prompts
        .iter()
        .filter(|prompt| {
            prompt.split_whitespace().nth(LONG_WORDS).is_some()
                || prompt.chars().nth(LONG_CHARACTERS).is_some()
        })
        .count();
    let which = match long {
        0 => return None,
        1 => "1 prompt is".to_owned(),
        _ => format!("{long} prompts are"),
    };
    Some(format!(
        "{which} long. Only about the first 32 tokens of each prompt (some 25 words) are read, so \
         begin with what is to be done."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts(lines: &[&str]) -> Vec<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    fn hints(lines: &[String]) -> String {
        Review::of(lines).hints.join(" ")
    }

    #[test]
    fn text_is_lines_json_lines_or_json() {
        let expected = Ok(prompts(&["one", "two"]));
        assert_eq!(read("one\n\ntwo\n"), expected);
        assert_eq!(read(" \"one\"\n{\"prompt\": \"two\"}\n"), expected);
        assert_eq!(
            read("\n[\n  \"one\",\n  {\"prompt\": \"two\"}\n]"),
            expected
        );
    }

    #[test]
    fn prose_in_quotation_marks_or_brackets_is_text() {
        for text in [
            "\"Hello,\" she said.",
            "{name} is late.",
            "[INST] Say hello.",
        ] {
            assert_eq!(read(text), Ok(prompts(&[text])));
        }
    }

    #[test]
    fn mistakes_and_emptiness_are_told() {
        assert!(read("  \n").is_err());
        assert!(read("[\"one\", ").is_err());
        assert!(read("\"one\"\ntwo").unwrap_err().contains("(line 2,"));
        let told = read("[\"one\", ").unwrap_err();
        assert!(told.starts_with("The JSON is not complete or not valid (line 1, column 8). "));
    }

    #[test]
    fn pasted_tables_give_their_column() {
        let expected = Ok(prompts(&["one, two", "three"]));
        for text in [
            "id,prompt\n1,\"one, two\"\n2,three\n",
            "\u{feff}Prompt;id\r\none, two;1\r\nthree;2\r\n",
            "\n\tPROMPT\n1\tone, two\n2\tthree",
            "prompt\none, two\nthree",
            "\"prompt\"\n\"one, two\"\n\"three\"",
            "\"id\",\"prompt\"\n\"1\",\"one, two\"\n\"2\",\"three\"",
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn prose_about_prompts_is_no_table() {
        for text in ["prompt", "A prompt, please.", "Prompts,\nand more"] {
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(read(text), Ok(prompts(&lines)));
        }
    }

    #[test]
    fn list_markers_are_left_out_if_every_line_has_one() {
        for text in [
            "1. one\n2. two\n",
            "9) one\n\n 10)  two",
            "- one\n* two",
            "\u{feff}• one\n•\ttwo",
        ] {
            let (read, review) = read_and_review(text);
            assert_eq!(read, Ok(prompts(&["one", "two"])), "{text}");
            assert!(
                review
                    .hints
                    .contains(&"List markers were left out.".to_owned())
            );
        }
        for text in [
            "1. one\ntwo",
            "# one\n# two",
            "-one\n-two",
            "1.5 is what?\n2.5 is what?",
            "3 and 4\n5 and 6",
        ] {
            let (read, review) = read_and_review(text);
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(read, Ok(prompts(&lines)), "{text}");
            assert!(!review.hints.join(" ").contains("markers"));
        }
    }

    #[test]
    fn text_gives_back_the_prompts() {
        for lines in [
            prompts(&["one", "two, three", "  four "]),
            prompts(&["one\ntwo", "three\r\nfour", "\"five\""]),
            prompts(&["\"one\"", "two"]),
            prompts(&["[", "one"]),
            prompts(&["{\"prompt\": \"one\"}"]),
            prompts(&["1. one", "2. two"]),
            prompts(&["- one"]),
            prompts(&["id,prompt", "1,one"]),
            prompts(&["prompt", "one"]),
            prompts(&["prompt", "one\ntwo"]),
            prompts(&["a\", prompt, \"b", "one\ntwo"]),
            prompts(&["x, prompt, y", "one\ntwo"]),
        ] {
            assert_eq!(read(&to_text(&lines)), Ok(lines));
        }
        assert_eq!(to_text(&prompts(&["one", "two"])), "one\ntwo");
    }

    #[test]
    fn examples_need_no_hint() {
        for text in [
            include_str!("../../assets/prompts/antonyms.txt"),
            include_str!("../../assets/prompts/last-letter.txt"),
            include_str!("../../assets/prompts/sentiment.txt"),
        ] {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            assert_eq!(Review::of(&lines).hints, Vec::<String>::new());
        }
    }

    #[test]
    fn few_and_repeated_prompts_get_a_hint() {
        let few = Review::of(&prompts(&[
            "one two three",
            "two three four",
            "one two three",
        ]));
        assert_eq!((few.count, few.distinct), (3, 2));
        assert!(few.hints[0].contains("generator reads 32"));
        let mut many: Vec<String> = (0..10)
            .map(|i| format!("Which letter follows {i}?"))
            .collect();
        many.extend(many.clone());
        assert!(hints(&many).contains("Only 10 of the 20"));
    }

    #[test]
    fn too_alike_and_too_different_prompts_get_a_hint() {
        let alike: Vec<String> = (0..20)
            .map(|i| {
                format!("Please tell me now, in one single short word, what comes next after {i}")
            })
            .collect();
        assert!(hints(&alike).contains("much alike"));
        let different = prompts(&[
            "Translate bread into German",
            "Why do leaves fall?",
            "Summarise yesterday's meeting",
            "Sort these numbers quickly",
            "Write Python code",
            "Capital of Norway?",
            "My soup arrived cold",
            "Recommend nice books please",
        ]);
        assert!(hints(&different).contains("few words in common"));
    }

    #[test]
    fn long_prompts_get_a_hint() {
        let long = vec!["word ".repeat(40), "short".to_owned()];
        assert!(hints(&long).contains("1 prompt is long"));
    }

    #[test]
    fn nothing_says_nothing() {
        assert_eq!(Review::of(&[]), Review::default());
        assert_eq!(read_and_review(" \n"), (Ok(Vec::new()), Review::default()));
    }
}
