//! `dnd eval`: the results on disk and on screen, and keeping those that are there.

use std::path::Path;

use serde_json::{Value, json};

use crate::world::{DEV_TASK, LINES, World, file_name, names};

const METHODS: [&str; 5] = ["base", "generated", "nearest", "average", "mean"];

fn rows(path: &Path) -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn all_methods_are_measured() {
    let world = World::trained();
    let own = format!("adapter:{}", world.path("collection/length").display());
    let json = world.path("report.json");
    let methods = METHODS.join(",") + "," + &own;
    let outcome = world.eval(&methods, &json).run().succeeds();

    let rows = rows(&json);
    let expected: Vec<&str> = METHODS.into_iter().chain([own.as_str()]).collect();
    let found: Vec<&str> = rows
        .iter()
        .map(|row| row["method"].as_str().unwrap())
        .collect();
    assert_eq!(found, expected);
    for row in &rows {
        assert_eq!(row.as_object().unwrap().len(), 5, "{row}");
        assert_eq!(row["task"], DEV_TASK);
        assert_eq!(row["n"], LINES);
        assert!(
            (0.0..=1.0).contains(&row["exact_match"].as_f64().unwrap()),
            "{row}"
        );
        assert!(row["seconds"].as_f64().unwrap() > 0.0, "{row}");
    }

    let table = std::fs::read_to_string(world.path("report.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("task,method,exact_match,n,seconds"));
    for (line, method) in lines.by_ref().zip(&expected) {
        assert!(line.starts_with(&format!("{DEV_TASK},{method},")), "{line}");
    }
    assert_eq!(table.lines().count(), 1 + expected.len());

    // Header, rule, one task, mean; a column a method after the task's name.
    let columns: Vec<usize> = outcome
        .stdout
        .lines()
        .map(|line| line.matches('|').count())
        .collect();
    assert_eq!(columns, [expected.len() + 2; 4]);
    for name in expected.iter().chain(&[DEV_TASK]) {
        assert!(outcome.stdout.contains(name), "{}", outcome.stdout);
    }
}

#[test]
fn resuming_keeps_rows_and_adds_the_missing_ones() {
    let world = World::collected();
    // A score that no measurement gives shows that nothing was measured.
    let kept = json!([{"task": DEV_TASK, "method": "base", "exact_match": 0.123, "n": LINES, "seconds": 1.0}]);
    let json = world.write("report.json", kept.to_string());
    world
        .eval("base,average", &json)
        .and("--resume")
        .run()
        .succeeds();
    let resumed = rows(&json);
    assert_eq!(resumed.len(), 2);
    assert_eq!(resumed[0], kept[0]);
    assert_eq!(resumed[1]["method"], "average");

    world.eval("base", &json).run().succeeds();
    let fresh = rows(&json);
    assert_eq!(fresh.len(), 1);
    assert_ne!(fresh[0]["exact_match"], 0.123);
}

/// A row of another number of lines is another measurement.
#[test]
fn resuming_with_another_limit_measures_again() {
    let world = World::collected();
    let json = world.path("report.json");
    world
        .eval("base", &json)
        .with("--limit", "5")
        .run()
        .succeeds();
    assert_eq!(rows(&json)[0]["n"], 5);
    world.eval("base", &json).and("--resume").run().succeeds();
    let rows = rows(&json);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["n"], LINES);
}

#[test]
fn a_missing_collection_is_said_before_anything_is_loaded() {
    let world = World::new();
    let json = world.path("report.json");
    let collection = world.path("nowhere");
    crate::program::Dnd::new("eval")
        .with("--tasks", world.tasks())
        .with("--base", world.path("no-base"))
        .with("--methods", "average")
        .with("--json", &json)
        .run()
        .fails(&["average", "--collection"]);
    crate::program::Dnd::new("eval")
        .with("--tasks", world.tasks())
        .with("--base", world.base())
        .with("--methods", "average")
        .with("--collection", &collection)
        .with("--json", &json)
        .run()
        .fails(&[file_name(&collection)]);
    assert!(
        !names(&world.path(""))
            .iter()
            .any(|name| name.starts_with("report"))
    );
}
