//! `dnd tasks`: a suite that is the same on every machine, and the default of other commands.

use std::path::Path;
use std::process::Command;

use crate::program::Dnd;
use crate::world::World;

fn tasks(out: &Path, only: &str) -> Dnd {
    Dnd::new("tasks")
        .with("--out", out)
        .with("--only", only)
        .with("--train", "20")
        .with("--test", "5")
}

fn index(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap()
}

#[test]
fn tasks_are_written_with_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made/tasks");
    let outcome = tasks(&out, "choose-fruit,item-middle").run().succeeds();
    assert_eq!(outcome.stdout, format!("{}: 2 tasks\n", out.display()));
    let index = index(&out);
    let entry = |name: &str| {
        let entries = index["tasks"].as_array().unwrap();
        entries
            .iter()
            .find(|entry| entry["name"] == name)
            .unwrap()
            .clone()
    };
    assert_eq!(entry("choose-fruit")["role"], "train");
    assert_eq!(entry("item-middle")["role"], "dev");
    for (name, count) in [("train", 20), ("test", 5)] {
        assert_eq!(entry("choose-fruit")[name], count);
        let text = std::fs::read_to_string(out.join(format!("choose-fruit.{name}.jsonl"))).unwrap();
        assert_eq!(text.lines().count(), count);
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let (prompt, response) = (&line["prompt"], &line["response"]);
            assert!(
                prompt
                    .as_str()
                    .unwrap()
                    .contains(response.as_str().unwrap())
            );
        }
    }
}

#[test]
fn a_seed_repeats_itself() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, seed: &str| {
        let out = folder.path().join(name);
        tasks(&out, "plus").with("--seed", seed).run().succeeds();
        std::fs::read(out.join("plus.train.jsonl")).unwrap()
    };
    assert_eq!(read("a", "3"), read("b", "3"));
    assert_ne!(read("a", "3"), read("c", "4"));
}

#[test]
fn the_list_names_every_task() {
    let list = Dnd::new("tasks").and("--list").run().succeeds().stdout;
    assert!(list.lines().count() >= 200);
    assert!(list.contains("choose-fruit\tcategories\ttrain\n"));
    assert!(list.contains("item-middle\tlists\tdev\n"));
}

#[test]
fn what_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    tasks(&out, "choose-fruits").run().fails(&["choose-fruits"]);
    Dnd::new("tasks").run().gets_refused(&["--out"]);
    Dnd::new("tasks")
        .with("--out", &out)
        .with("--train", "0")
        .run()
        .gets_refused(&["--train"]);
    assert!(!out.exists());
}

#[test]
fn other_commands_fall_back_on_the_suite() {
    let world = World::new();
    let (cache, json) = (world.path("cache"), world.path("results.json"));
    let status = Command::new(env!("CARGO_BIN_EXE_dnd"))
        .args(["eval", "--device", "cpu", "--methods", "majority"])
        .args(["--only", "choose-object", "--limit", "2", "--base"])
        .arg(world.base())
        .arg("--json")
        .arg(&json)
        .env("DND_CACHE", &cache)
        .output()
        .unwrap()
        .status;
    assert!(status.success());
    let suite = std::fs::read_dir(cache.join("tasks"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    assert!(index(&suite)["tasks"].as_array().unwrap().len() >= 200);
    assert!(json.exists());
}
