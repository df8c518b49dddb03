//! Tests of the reader.

use super::*;

fn read(extension: &str, text: &str) -> PromptFile {
    parse(text, extension, "file").unwrap()
}

fn told(extension: &str, text: &str) -> String {
    parse(text, extension, "file").unwrap_err().to_string()
}

const KINDS: [(&str, &str); 8] = [
    ("txt", "\u{feff}one, two\n\nthree\r\n"),
    ("jsonl", "{\"prompt\":\"one, two\",\"x\":1}\n\"three\"\n"),
    ("json", "[\"one, two\", {\"prompt\": \"three\"}]"),
    ("csv", "id,prompt\n1,\"one, two\"\n2,three\n"),
    ("csv", "id;Prompt\n1;one, two\n2;three\n"),
    ("tsv", "\tPROMPT\n1\tone, two\r\n2\tthree"),
    ("csv", " \n\n\" prompt \",id\n\"one, two\",1\nthree,2"),
    ("csv", "sep=;\r\nid;prompt\r\n1;one, two\r\n2;three\r\n"),
];

/// Under their own name without a note, under any other and without one the same, with a note.
#[test]
fn the_content_decides() {
    for (extension, text) in KINDS {
        let file = read(extension, text);
        assert_eq!(file.texts(), ["one, two", "three"], "{text}");
        assert_eq!(file.notes, [""; 0], "{text}");
        for other in ["txt", "", "ndjson", "json", "csv", "dat"] {
            let Ok(found) = parse(text, other, "file") else {
                // Lines under the name of something else are refused.
                assert_eq!(extension, "txt");
                continue;
            };
            assert_eq!(found.texts(), file.texts(), "{other}: {text}");
            let same = Format::of_extension(other).unwrap_or(Format::Lines)
                == Format::of_text(without_mark(text), other);
            assert_eq!(found.notes.is_empty(), same, "{other}: {:?}", found.notes);
        }
    }
}

#[test]
fn prose_is_no_table_and_no_json() {
    for line in [
        "prompt",
        "A prompt, please.",
        "Prompts,\nand more",
        "\"Hello,\" she said.",
        "{name} is late.",
        "[INST] Say hello.",
        "instruction\nfollows",
    ] {
        let lines: Vec<&str> = line.lines().collect();
        assert_eq!(read("", line).texts(), lines, "{line}");
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
        let file = read("txt", text);
        assert_eq!(file.texts(), ["one", "two"], "{text}");
        assert_eq!(file.notes, ["List markers were left out."]);
    }
    for text in [
        "1. one\ntwo",
        "# one\n# two",
        "-one\n-two",
        "1.5 is what?\n2.5 is what?",
        "3 and 4\n5 and 6",
    ] {
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(read("txt", text).texts(), lines, "{text}");
    }
}

#[test]
fn lone_carriage_returns_end_lines() {
    assert_eq!(read("txt", "one\rtwo\r").texts(), ["one", "two"]);
    assert_eq!(
        read("csv", "id,prompt\r1,one\r2,two\r").texts(),
        ["one", "two"]
    );
}

#[test]
fn objects_of_training_files_are_known() {
    for (text, prompt, answer) in [
        (
            r#"{"prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "a"}],
                "completion": [{"role": "assistant", "content": "b"}]}"#,
            "a",
            Some("b"),
        ),
        (
            r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]},
                {"role": "assistant", "content": "b"}]}"#,
            "a",
            Some("b"),
        ),
        (
            r#"{"conversations": [{"from": "human", "value": "a"},
                {"from": "gpt", "value": "b"}]}"#,
            "a",
            Some("b"),
        ),
        (
            r#"{"instruction": "a", "input": "x", "output": "b"}"#,
            "a\nx",
            Some("b"),
        ),
        (r#"{"instruction": "a", "input": ""}"#, "a", None),
    ] {
        let file = read("jsonl", &text.replace('\n', ""));
        assert_eq!(file.prompts[0].text, prompt, "{text}");
        assert_eq!(file.prompts[0].answer.as_deref(), answer, "{text}");
        assert_eq!(file.notes.len(), 1, "{:?}", file.notes);
    }
    let file = read("csv", "instruction,input,output\na,x,b\nc,,d\n");
    assert_eq!(file.texts(), ["a\nx", "c"]);
    assert_eq!(file.prompts[1].answer.as_deref(), Some("d"));
    assert!(told("jsonl", "{\"text\": \"a\", \"n\": 1}").contains("found the fields n, text"));
}

#[test]
fn what_other_writers_call_json_is_repaired() {
    let text =
        "{\"prompt\": \"NaN \\ud83d!\", \"score\": NaN, \"low\": -Infinity}\n\"\\ud83d\\ude00\"";
    let file = read("jsonl", text);
    assert_eq!(file.texts(), ["NaN \u{fffd}!", "\u{1f600}"]);
    assert_eq!(file.notes.len(), 1, "{:?}", file.notes);
    assert!(file.notes[0].starts_with("line 1: `NaN`"));
}

#[test]
fn quotation_marks_are_closed() {
    let rows: String = (0..9).map(|row| format!("{row},row {row}\n")).collect();
    let message = told("csv", &format!("id,prompt\n1,\"one\n{rows}"));
    assert!(
        message.contains("line 2: expected the quotation mark"),
        "{message}"
    );
    // Closed by the mark of a later row.
    let file = read("csv", &format!("id,prompt\n1,\"one\n{rows}9,two\"\n"));
    assert!(
        file.notes[0].starts_with("Lines 2 to 12 are one cell"),
        "{:?}",
        file.notes
    );
    let file = read("csv", "id,prompt\n1,\"two\nlines, and a \"\"mark\"\"\"\n");
    assert_eq!(file.texts(), ["two\nlines, and a \"mark\""]);
    assert_eq!(file.notes, [""; 0]);
}

#[test]
fn answers_stand_beside_their_prompts() {
    for (extension, text) in [
        ("txt", "\u{feff}a, b => 1\n\nc =>2\r\n"),
        (
            "jsonl",
            "{\"prompt\":\"a, b\",\"answer\":\"1\"}\n{\"prompt\":\"c\",\"completion\":\" 2\"}",
        ),
        ("csv", "id,prompt,response\n1,\"a, b\",1\n2,c,2\n"),
        ("csv", "wanted\tprompt\n1\ta, b\n2\tc\n"),
    ] {
        let answered = with_answers(&read(extension, text), "file").unwrap();
        let expected = [("a, b", "1"), ("c", "2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(answered, expected, "{text}");
    }
    let message = with_answers(&read("txt", "a => 1\nb\n"), "file").unwrap_err();
    assert!(
        message.to_string().contains("prompt 2: expected an answer"),
        "{message}"
    );
}

#[test]
fn mistakes_are_told_in_plain_words() {
    for end in ["\n", "\r\n"] {
        let lines = ["", "id,prompt", "1,one", "2,two, three", ""];
        let message = told("csv", &lines.join(end));
        let expected = "line 4: expected 2 cells as in the header, found 3";
        assert!(message.contains(expected), "{message}");
    }
    let message = told("json", "[\"one\", ");
    let expected = "the JSON is not complete or not valid (line 1, column 8). Parser error: EOF";
    assert!(message.contains(expected), "{message}");
    assert!(told("json", "[{}]").contains("does not contain prompts (entry 1)"));
    assert!(told("jsonl", "\"one\"\n\"two").contains("not valid (line 2, column 4)"));
    assert!(told("csv", "id,text\n1,one\n").contains("expected a column `prompt`, found id, text"));
    assert!(told("jsonl", "one").contains("not complete or not valid (line 1"));
    for blank in ["", " \n", "\u{feff}"] {
        assert!(told("txt", blank).contains("at least one prompt"));
    }
}

#[test]
fn text_comes_from_the_bytes_of_windows_too() {
    let text = "Schöne Grüße\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for bytes in [
        text.as_bytes().to_vec(),
        little.clone(),
        big.clone(),
        [vec![0xff, 0xfe], little].concat(),
        [vec![0xfe, 0xff], big].concat(),
    ] {
        assert_eq!(decode(&bytes, "file").unwrap(), text);
    }
    for (bytes, told) in [
        (&b"\x89PNG\r\n\x1a\n"[..], "found a PNG image"),
        (
            b"ab\ncd\xffe",
            "line 2: expected text in UTF-8, found an invalid byte at offset 5",
        ),
        (b"\xff\xfea", "expected UTF-16"),
        (b"abc\0def", "found a binary file"),
    ] {
        let message = decode(bytes, "file").unwrap_err().to_string();
        assert!(message.contains(told), "{message}");
    }
}

#[test]
fn text_gives_back_the_prompts() {
    for lines in [
        &["one", "two, three", "  four "][..],
        &["one\ntwo", "three\r\nfour", "\"five\""],
        &["\"one\"", "two"],
        &["[", "one"],
        &["{\"prompt\": \"one\"}"],
        &["id,prompt", "1,one"],
        &["prompt", "one"],
        &["prompt", "one\ntwo"],
        &["a\", prompt, \"b", "one\ntwo"],
        &["instruction,input", "one,two"],
        &["1. one", "2. two"],
        &["- one"],
    ] {
        let prompts: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        let text = to_text(&prompts);
        assert_eq!(read("", &text).texts(), prompts, "{text}");
    }
    assert_eq!(to_text(&["one".to_owned(), "two".to_owned()]), "one\ntwo");
}

#[test]
fn a_column_can_be_chosen() {
    let table = "id;Question;label\n1;one, two;a\n2;three;b\n";
    assert_eq!(columns(table, "csv"), ["id", "Question", "label"]);
    assert_eq!(columns(table, ""), Vec::<String>::new());
    assert_eq!(columns("prompt\tother\nx\ty\n", ""), ["prompt", "other"]);
    let file = parse_column(table, "question", "file").unwrap();
    assert_eq!(file.texts(), ["one, two", "three"]);
    let both = "text,prompt\none,two\n";
    assert_eq!(parse_column(both, "text", "file").unwrap().texts(), ["one"]);
    let message = parse_column(table, "prompt", "file")
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("expected a column `prompt`, found id, Question, label"),
        "{message}"
    );
    // The chosen column may be one that holds answers elsewhere.
    let prompts = parse_column("answer,prompt\none,two\n", "answer", "file").unwrap();
    assert_eq!(prompts.texts(), ["one"]);
}
