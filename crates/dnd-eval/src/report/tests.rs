//! Tests with a small made-up evaluation.

use super::*;
use crate::summary::test_data::row;
use crate::write_rows;

const SECTIONS: [&str; 9] = [
    "All methods",
    "Do the prompts matter?",
    "Against labelled examples",
    "Against training tasks",
    "Against prompts",
    "Cost",
    "Each task",
    "Training",
    "How it was measured",
];

fn rows() -> Vec<Row> {
    let scores = [
        ("majority", 0.1),
        ("base", 0.0),
        ("context:4", 0.2),
        ("context:16", 0.3),
        ("training:antonym", 0.1),
        ("mean", 0.1),
        ("multitask:/a/b", 0.3),
        ("few:1", 0.1),
        ("few:16", 0.4),
        ("full:300", 0.8),
        ("generated", 0.6),
        ("generated:shuffled", 0.1),
        ("generated:N=4", 0.4),
        ("generated:N=32", 0.6),
    ];
    let mut rows = Vec::new();
    for task in ["pick-verb", "odd <name>"] {
        for (method, score) in scores {
            let outcomes: Vec<f64> = (0..20)
                .map(|line| {
                    if f64::from(line) < score * 20.0 {
                        1.0
                    } else {
                        0.0
                    }
                })
                .collect();
            let mut row = row(task, method, &outcomes);
            if method == "full:300" {
                row.adapt_seconds = 250.0;
                row.note = "300 steps".to_owned();
            }
            if method == "generated" {
                row.cosine = Some(0.25);
            }
            rows.push(row);
        }
    }
    rows
}

/// Writes the results and reports them. Returns the page and the table.
fn reported(rows: &[Row], with_more: bool) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let results = folder.path().join("results.json");
    write_rows(&results, rows).unwrap();
    let curve = folder.path().join("bundle.csv");
    dnd_files::write(&curve, b"step,loss,validation_loss\n10,2.0,2.5\n20,1.0,\n").unwrap();
    let counted = |count| CountedResults {
        count,
        results: results.clone(),
    };
    let (curves, tasks_curve) = if with_more {
        (vec![curve], vec![counted(5), counted(10)])
    } else {
        (Vec::new(), Vec::new())
    };
    let out = folder.path().join("report");
    report(&ReportOptions {
        results: &[results],
        curves: &curves,
        tasks_curve: &tasks_curve,
        out: &out,
    })
    .unwrap();
    let read = |name: &str| dnd_files::read_text(&out.join(name)).unwrap();
    (read(PAGE), read(TABLE))
}

/// Asserts that all tags are balanced.
fn is_balanced(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for part in page.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap();
        if tag.starts_with('!') || tag.ends_with('/') {
            continue;
        }
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "closed in the wrong order"),
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

#[test]
fn the_page_has_every_section() {
    let (page, _) = reported(&rows(), true);
    for section in SECTIONS {
        assert!(page.contains(&format!("<h2>{section}</h2>")), "{section}");
    }
    is_balanced(&page);
    for word in ["<script", "http:", "https:", "src=", "href="] {
        let rest = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!rest.contains(word), "{word}");
    }
    // Two tasks with bars, and a chart for examples, tasks, prompts, cost and training.
    assert_eq!(page.matches("<svg").count(), 7);
    assert!(page.contains("500 times as long"), "{page}");
    assert!(page.contains("odd &lt;name&gt;") && !page.contains("training:antonym"));
    assert!(page.contains("have a cosine of 0.25"));
    assert!(page.contains("validation loss"));
    assert!(!page.contains("missing") && !page.contains("was not measured"));
}

#[test]
fn what_is_missing_is_said() {
    let base = [row("a", "base", &[0.0, 1.0])];
    let (page, table) = reported(&base, false);
    for section in SECTIONS {
        assert!(page.contains(&format!("<h2>{section}</h2>")), "{section}");
    }
    is_balanced(&page);
    for sentence in [
        "Generated adapters of different tasks were not compared.",
        "Neither few-shot tuning nor in-context learning was measured.",
        "No results for other numbers of training tasks were given.",
        "Generation from other numbers of prompts was not measured.",
        "No method that creates an adapter for a task was measured.",
        "No training curve was given.",
    ] {
        assert!(page.contains(sentence), "{sentence}");
    }
    assert_eq!(table.lines().count(), 3);
}

#[test]
fn the_table_has_means_and_tasks() {
    let (_, table) = reported(&rows(), false);
    let mut lines = table.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("task,method,asked,lines,exact_match,")
    );
    let first = lines.next().unwrap();
    assert!(
        first.starts_with("all tasks,majority,full,40,0.1,"),
        "{first}"
    );
    // 13 methods over all tasks, then 14 on each of two.
    assert_eq!(table.lines().count(), 1 + 13 + 28);
    assert!(
        table.contains("pick-verb,training:antonym,full,20,"),
        "{table}"
    );
    assert!(table.contains("all tasks,multitask,full,40,"), "{table}");
}

#[test]
fn the_same_results_give_the_same_bytes() {
    assert!(reported(&rows(), true) == reported(&rows(), true));
}

#[test]
fn no_results_are_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let options = ReportOptions {
        results: &[folder.path().join("nowhere.json")],
        curves: &[],
        tasks_curve: &[],
        out: &folder.path().join("out"),
    };
    let message = report(&options).unwrap_err().to_string();
    assert!(message.contains("nowhere.json"), "{message}");
    assert!(!folder.path().join("out").exists());
}
