//! `dnd eval` and `dnd report`: results on disk and on screen, and resuming.

use std::path::Path;

use serde_json::Value;

use crate::program::Dnd;
use crate::world::{BASE_MODEL, DEV_TASK, LINES, TRAIN_TASKS, World, contents, file_name, names};

const METHODS: [&str; 5] = ["base", "generated", "nearest", "average", "mean"];

/// Columns of the CSV.
const FIELDS: &str = "task,method,asked,exact_match,lenient_match,valid_answers,n,adapt_seconds,\
                      answer_seconds,prompt_tokens,bytes,note";

fn rows(path: &Path) -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Methods of the rows, in their order.
fn methods(rows: &[Value]) -> Vec<&str> {
    let methods = rows.iter().map(|row| row["method"].as_str().unwrap());
    methods.collect()
}

/// Sets the score of a method to an impossible value. If it is still there after a run, the method
/// was not evaluated again.
fn mark(path: &Path, method: &str) {
    let mut rows = rows(path);
    for row in &mut rows {
        if row["method"] == method {
            row["exact_match"] = Value::from(0.123);
        }
    }
    std::fs::write(path, serde_json::to_vec(&rows).unwrap()).unwrap();
}

/// Whether the row of a method is one that [`mark`] changed.
fn is_marked(path: &Path, method: &str) -> bool {
    let rows = rows(path);
    let row = rows.iter().find(|row| row["method"] == method).unwrap();
    row["exact_match"] == 0.123
}

#[test]
fn all_methods_are_measured() {
    let world = World::trained();
    let own = format!("adapter:{}", world.path("collection/length").display());
    let json = world.path("report.json");
    let wanted = METHODS.join(",") + "," + &own;
    let outcome = world.eval(&wanted, &json).run().succeeds();

    let rows = rows(&json);
    let shown: Vec<&str> = METHODS.into_iter().chain([own.as_str()]).collect();
    let training = TRAIN_TASKS.map(|task| format!("training:{task}"));
    let mut expected = shown.clone();
    // `mean` averages over these.
    expected.splice(4..4, training.iter().map(String::as_str));
    assert_eq!(methods(&rows), expected);
    for row in &rows {
        assert_eq!(row["task"], DEV_TASK);
        assert_eq!(row["n"], LINES);
        for (share, outcomes) in [
            ("exact_match", "exact"),
            ("lenient_match", "lenient"),
            ("valid_answers", "valid"),
        ] {
            let outcomes = row[outcomes].as_array().unwrap();
            assert_eq!(outcomes.len(), LINES, "{row}");
            let sum: f64 = outcomes.iter().map(|value| value.as_f64().unwrap()).sum();
            let share = row[share].as_f64().unwrap();
            assert!((share - sum / LINES as f64).abs() < 1e-9, "{row}");
        }
        assert!(row["answer_seconds"].as_f64().unwrap() > 0.0, "{row}");
        let has_adapter = row["method"] != "base";
        assert_eq!(row["bytes"].as_u64().unwrap() > 0, has_adapter, "{row}");
    }

    let table = std::fs::read_to_string(world.path("report.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some(FIELDS));
    for (line, method) in lines.by_ref().zip(&expected) {
        let start = format!("{DEV_TASK},{method},full,");
        assert!(line.starts_with(&start), "{line}");
    }
    assert_eq!(table.lines().count(), 1 + expected.len());

    // Rows: header, rule, one task, mean. Columns: the task's name, then one per method.
    let columns: Vec<usize> = outcome
        .stdout
        .lines()
        .map(|line| line.matches('|').count())
        .collect();
    assert_eq!(columns, [shown.len() + 2; 4]);
    for name in shown.iter().chain(&[DEV_TASK]) {
        assert!(outcome.stdout.contains(name), "{}", outcome.stdout);
    }
}

/// Gives the tasks inputs and descriptions.
fn describe_tasks(world: &World) {
    for name in names(&world.tasks()) {
        let path = world.tasks().join(&name);
        let text = std::fs::read_to_string(&path).unwrap();
        let mut text = text.replace(
            "\"family\"",
            "\"templates\":[\"last letter of {}?\"],\"family\"",
        );
        if name.ends_with(".jsonl") {
            let lines = text.lines().map(|line| {
                let mut line: Value = serde_json::from_str(line).unwrap();
                let prompt = line["prompt"].as_str().unwrap();
                let word = prompt.split(' ').next_back().unwrap().to_owned();
                line["input"] = Value::from(word.trim_end_matches('?'));
                format!("{line}\n")
            });
            text = lines.collect();
        }
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn tasks_are_asked_both_ways() {
    let world = World::trained();
    let json = world.path("report.json");
    let eval = |methods| world.eval(methods, &json).with("--asked", "full,bare");
    // Lines without inputs are only asked in full.
    let outcome = eval("base").run().succeeds();
    assert!(outcome.stderr.contains("not asked bare"), "{outcome}");
    assert_eq!(rows(&json).len(), 1);

    describe_tasks(&world);
    let wanted = [
        "base",
        "generated",
        "generated:described",
        "few:2",
        "few:2:generated",
    ];
    let outcome = eval(&wanted.join(",")).run().succeeds();
    assert!(outcome.stdout.contains("| generated, bare |"), "{outcome}");
    let rows = rows(&json);
    assert_eq!(methods(&rows), [wanted, wanted].concat());
    for (row, asked) in rows.iter().zip([["full"; 5], ["bare"; 5]].concat()) {
        assert_eq!(row["asked"], asked);
    }
    let described = &rows[2]["note"];
    assert_eq!(described, "last letter of ?");
    // Tuning goes on from different adapters, on different questions.
    let folder = world.path("report.work").join(DEV_TASK);
    let tuned = ["full-few-2", "full-few-2-generated", "bare-few-2"];
    let tuned = tuned.map(|name| contents(&folder.join(name)));
    assert!(tuned[0] != tuned[1] && tuned[0] != tuned[2]);
}

#[test]
fn resuming_keeps_rows_and_adds_the_missing_ones() {
    let world = World::collected();
    let json = world.path("report.json");
    world.eval("base", &json).run().succeeds();
    mark(&json, "base");
    world
        .eval("base,average", &json)
        .and("--resume")
        .run()
        .succeeds();
    assert_eq!(methods(&rows(&json)), ["base", "average"]);
    assert!(is_marked(&json, "base"));

    world.eval("base", &json).run().succeeds();
    assert_eq!(methods(&rows(&json)), ["base"]);
    assert!(!is_marked(&json, "base"));
}

/// Another bundle, seed or base model invalidates the rows that depend on it, and no others.
#[test]
fn resuming_measures_again_what_comes_from_other_inputs() {
    let world = World::trained();
    let json = world.path("report.json");
    let eval = |seed: &str| {
        world
            .eval("majority,average,generated", &json)
            .with("--seed", seed)
            .and("--resume")
            .run()
            .succeeds();
    };
    eval("0");
    let mark_all = || {
        for method in ["majority", "average", "generated"] {
            mark(&json, method);
        }
    };
    mark_all();
    eval("1");
    assert!(is_marked(&json, "majority") && is_marked(&json, "average"));
    assert!(!is_marked(&json, "generated"));
    mark_all();
    let recipe = std::fs::read_to_string(world.recipe()).unwrap();
    world.write("recipe.toml", recipe.replace("steps = 6", "steps = 4"));
    world.train(&world.bundle()).run().succeeds();
    eval("1");
    assert!(is_marked(&json, "average") && !is_marked(&json, "generated"));
    mark_all();
    crate::language_model::write_folder(&world.base(), 7);
    eval("1");
    assert!(!is_marked(&json, "average"));
}

/// Another number of examples invalidates a row.
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
    Dnd::new("eval")
        .with("--tasks", world.tasks())
        .with("--base", world.path("no-base"))
        .with("--methods", "average")
        .with("--json", &json)
        .run()
        .fails(&["average", "--collection"]);
    Dnd::new("eval")
        .with("--tasks", world.tasks())
        .with("--base", world.base())
        .with("--base-model", BASE_MODEL)
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

/// Evaluates all methods that the inputs allow except the slow ones, then makes the report.
#[test]
fn a_suite_is_measured_resumed_and_reported() {
    let world = World::trained();
    let json = world.path("report.json");
    let given = world.collection().join("always_a");
    let multitask = format!("multitask:{}", given.display());
    let slow = [16, 64, 256].map(|count| format!("few:{count},few:{count}:generated"));
    let slow = format!("full:75,full:300,few:1:generated,{}", slow.join(","));
    let suite = || {
        world
            .eval(&multitask, &json)
            .and("--suite")
            .with("--skip", &slow)
            .with("--limit", "6")
            .and("--resume")
    };
    let outcome = suite().run().succeeds();
    let all = rows(&json);
    let measured = methods(&all);
    for method in [
        "majority",
        "context:16",
        "training:length",
        "mean",
        "best",
        "nearest",
        "similar",
        "average",
        "generated",
        "generated:shuffled",
        "generated:random",
        "generated:N=4",
        "generated:N=8",
        "few:1",
        "few:4",
        multitask.as_str(),
    ] {
        assert!(measured.contains(&method), "{method} of {measured:?}");
    }
    assert!(!measured.contains(&"full:75") && !measured.contains(&"generated:N=16"));
    assert!(outcome.stdout.contains("| best |") && !outcome.stdout.contains("training:"));
    let exact = |method: &str| {
        let row = all.iter().find(|row| row["method"] == method).unwrap();
        row["exact_match"].as_f64().unwrap()
    };
    let best = TRAIN_TASKS.map(|task| exact(&format!("training:{task}")));
    assert_eq!(exact("best"), best.into_iter().fold(0.0, f64::max));
    let work = world.path("report.work").join(DEV_TASK);
    assert_eq!(
        names(&work),
        ["full-few-1", "full-few-4", "full-few-4-generated"]
    );

    // Missing rows are evaluated again; fine-tuned adapters are reused.
    let record = work.join("full-few-4/tuned.json");
    let before = std::fs::metadata(&record).unwrap().modified().unwrap();
    let kept: Vec<&Value> = all.iter().filter(|row| row["method"] != "few:4").collect();
    std::fs::write(&json, serde_json::to_vec(&kept).unwrap()).unwrap();
    suite().run().succeeds();
    let again = rows(&json);
    let of = |rows: &[Value]| {
        let row = rows.iter().find(|row| row["method"] == "few:4");
        row.map(|row| row["exact"].clone())
    };
    assert_eq!(of(&again), of(&all));
    assert_eq!(
        std::fs::metadata(&record).unwrap().modified().unwrap(),
        before
    );

    let out = world.path("page");
    let report = || {
        Dnd::new("report")
            .with("--results", &json)
            .with("--curve", world.path("bundle.csv"))
            .with("--tasks-curve", format!("3={}", json.display()))
            .with("--out", &out)
            .run()
            .succeeds();
        contents(&out)
    };
    let first = report();
    assert_eq!(names(&out), ["index.html", "report.csv"]);
    let page = String::from_utf8(first[0].1.clone()).unwrap();
    assert!(page.contains("generated:shuffled") && page.contains("<svg"));
    assert!(first == report(), "a second report differs");
}

#[test]
fn shards_share_the_tasks_out_and_are_reported_together() {
    let world = World::trained();
    let [whole, first, second, empty] =
        ["whole.json", "first.json", "second.json", "empty.json"].map(|name| world.path(name));
    let eval = |json: &Path, shard: &str| {
        let outcome = world
            .eval("majority,base", json)
            .with("--only", "always_a,first_letter,length")
            .with("--shard", shard)
            .run();
        outcome.succeeds();
    };
    for (json, shard) in [
        (&whole, "1/1"),
        (&first, "1/2"),
        (&second, "2/2"),
        (&empty, "4/4"),
    ] {
        eval(json, shard);
    }
    let scores = |json: &Path| -> Vec<(String, Value)> {
        let rows = rows(json).into_iter();
        rows.map(|row| {
            (
                format!("{} {}", row["task"], row["method"]),
                row["exact"].clone(),
            )
        })
        .collect()
    };
    let mut together = [scores(&first), scores(&second)].concat();
    together.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut expected = scores(&whole);
    expected.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert_eq!(expected.len(), 6);
    assert_eq!(together, expected);

    let report = |results: [&Path; 2]| {
        let results = results.map(|path| path.display().to_string()).join(",");
        let out = world.path("report");
        Dnd::new("report")
            .with("--results", results)
            .with("--out", out)
            .run()
    };
    report([&first, &second]).succeeds();
    let page = std::fs::read_to_string(world.path("report/index.html")).unwrap();
    for task in ["always_a", "first_letter", "length"] {
        assert!(page.contains(task), "{task}");
    }
    report([&whole, &second]).fails(&["second.json", "first_letter", "again"]);
}

#[test]
fn a_report_of_nothing_is_refused() {
    let world = World::new();
    let report = |results: &Path| {
        Dnd::new("report")
            .with("--results", results)
            .with("--out", world.path("page"))
    };
    report(&world.path("nowhere.json"))
        .run()
        .fails(&["nowhere.json"]);
    let broken = world.write("broken.json", "[{\"task\": \"a\"}]");
    report(&broken).run().fails(&["broken.json", "method"]);
    report(&broken)
        .with("--tasks-curve", "five=x.json")
        .run()
        .gets_refused(&["COUNT=FILE"]);
    assert!(!world.path("page").exists());
}

#[test]
fn lines_with_answers_are_compared() {
    let world = World::trained();
    let adapter = world.path("adapter");
    let prompts = world.prompts("prompts.txt", 8);
    world.generate(&prompts, &adapter).run().succeeds();
    let answer = world.complete("hello").with("--adapter", &adapter);
    let answer = answer.run().succeeds().stdout.trim().to_owned();
    let lines = world.write("lines.txt", "hello => no such answer\nhot => cold\n");
    let json = world.path("compared.json");
    let eval = Dnd::new("eval").with("--base", world.base());
    let eval = eval.with("--lines", &lines).with("--adapter", &adapter);
    let outcome = eval.with("--json", &json).run().succeeds();
    assert!(
        outcome.stdout.contains("without: 0 of 2 right"),
        "{outcome}"
    );
    assert!(outcome.stdout.contains("with: 0 of 2 right"), "{outcome}");
    let compared: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    assert_eq!(compared[0]["expected"], "no such answer");
    let with = compared[0]["with"].as_str().unwrap();
    assert!(with.starts_with(&answer), "{with} and {answer}");
    let lines = world.write("lines.txt", "hello\n");
    let eval = Dnd::new("eval").with("--lines", &lines).run();
    eval.fails(&["lines.txt", "prompt 1: expected an answer"]);
}

#[test]
fn an_evaluation_of_nothing_is_an_error() {
    let world = World::trained();
    let json = world.path("nothing.json");
    // The world's lines have no inputs.
    let eval = world.eval("base", &json).with("--asked", "bare");
    eval.run()
        .fails_in_the_end(&["expected a task that can be asked", "found none"]);
    let lines = world.write("lines.txt", "hot => cold\n");
    let eval = Dnd::new("eval").with("--lines", lines);
    eval.with("--asked", "bare")
        .run()
        .gets_refused(&["--lines", "--asked"]);
}
