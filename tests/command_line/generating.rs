//! `dnd generate`: reproducible output, and its messages.

use std::io::{Cursor, Read};
use std::path::Path;

use dnd_adapter::{Projection, peft};
use serde_json::Value;

use crate::program::Dnd;
use crate::world::{PROMPTS, World, contents, names};

fn model(adapter: &Path) -> Vec<u8> {
    std::fs::read(adapter.join(peft::MODEL_FILE)).unwrap()
}

#[test]
fn the_same_prompts_and_seed_give_the_same_bytes() {
    let world = World::trained();
    let prompts = world.prompts("prompts.txt", PROMPTS + 4);
    for out in ["one", "other"] {
        let generate = world
            .generate(&prompts, &world.path(out))
            .with("--seed", "7");
        generate.run().succeeds();
    }
    assert!(contents(&world.path("one")) == contents(&world.path("other")));
}

#[test]
fn other_prompts_and_other_draws_give_other_bytes() {
    let world = World::trained();
    let adapter = |prompts: &str, count, seed: &str| {
        let out = world.path(&format!("{prompts}-{seed}"));
        let prompts = world.prompts(prompts, count);
        world
            .generate(&prompts, &out)
            .with("--seed", seed)
            .run()
            .succeeds();
        model(&out)
    };
    let many = adapter("many.txt", PROMPTS + 8, "0");
    assert!(
        many != adapter("some.txt", PROMPTS, "0"),
        "the prompts do not matter"
    );
    assert!(
        many != adapter("many.txt", PROMPTS + 8, "1"),
        "the seed does not matter"
    );
}

#[test]
fn nothing_is_said_besides_the_result() {
    let world = World::trained();
    let prompts = world.prompts("prompts.txt", PROMPTS);
    let adapter = world.path("adapter");
    let outcome = world.generate(&prompts, &adapter).run().succeeds();
    assert_eq!(outcome.stderr, "");
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", outcome.stdout);
    assert!(lines[0].starts_with(adapter.to_str().unwrap()));
    for stage in ["load", "encode", "decode", "write"] {
        assert!(lines[1].contains(stage), "{}", lines[1]);
    }
}

#[test]
fn a_description_stands_in_front_of_prompts() {
    let world = World::trained();
    let generate = |out: &str| {
        let generate = Dnd::new("generate")
            .with("--bundle", world.bundle())
            .with("--encoder", world.encoder())
            .with("--describe", "say the number");
        generate.with("--out", world.path(out))
    };
    generate("alone").run().succeeds();
    let prompts = world.prompts("prompts.txt", PROMPTS);
    let outcome = generate("more").with("--prompts", &prompts).run();
    let outcome = outcome.succeeds();
    assert!(outcome.stderr.contains("beside a description"), "{outcome}");
    assert!(model(&world.path("alone")) != model(&world.path("more")));
    Dnd::new("generate")
        .with("--out", world.path("none"))
        .run()
        .gets_refused(&["--prompts"]);
}

#[test]
fn fewer_or_more_prompts_than_expected_are_mentioned() {
    let world = World::trained();
    for (count, word) in [(3, "repeated"), (PROMPTS + 3, "sampled")] {
        let prompts = world.prompts("prompts.txt", count);
        let generate = world
            .generate(&prompts, &world.path("adapter"))
            .with("--seed", "5");
        let outcome = generate.run().succeeds();
        assert_eq!(outcome.stderr.lines().count(), 1);
        for part in [
            &format!("{count} prompts"),
            &format!("reads {PROMPTS}"),
            word,
            "seed 5",
        ] {
            assert!(
                outcome.stderr.contains(part),
                "expected `{part}` in {}",
                outcome.stderr
            );
        }
    }
}

#[test]
fn json_has_the_draw_and_the_split_of_the_time() {
    let world = World::trained();
    let prompts = world.prompts("prompts.txt", PROMPTS + 3);
    let adapter = world.path("adapter");
    let outcome = world
        .generate(&prompts, &adapter)
        .and("--json")
        .run()
        .succeeds();
    let report: Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(report["out"], adapter.to_str().unwrap());
    assert_eq!(report["bytes"], model(&adapter).len());
    assert_eq!(report["prompts"]["given"], PROMPTS + 3);
    assert_eq!(report["prompts"]["read"], PROMPTS);
    assert_eq!(report["prompts"]["dropped"], 3);
    assert_eq!(report["prompts"]["repeated"], 0);
    for stage in ["load", "encode", "decode", "write"] {
        assert!(report["seconds"][stage].as_f64().unwrap() > 0.0, "{report}");
    }
}

#[test]
fn a_zip_holds_the_files_of_the_folder() {
    let world = World::trained();
    let prompts = world.prompts("prompts.txt", PROMPTS);
    let (folder, file) = (world.path("adapter"), world.path("adapter.zip"));
    world.generate(&prompts, &folder).run().succeeds();
    world
        .generate(&prompts, &file)
        .and("--zip")
        .run()
        .succeeds();
    let bytes = std::fs::read(&file).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        found.push((entry.name().to_owned(), bytes));
    }
    found.sort();
    assert_eq!(found.len(), 3);
    assert!(
        found == contents(&folder),
        "the zip differs from the folder"
    );
}

#[test]
fn the_folder_reads_back_in_every_precision() {
    let world = World::trained();
    let prompts = world.prompts("prompts.txt", PROMPTS);
    let read = |precision: &str| {
        let out = world.path(precision);
        let generate = world
            .generate(&prompts, &out)
            .with("--precision", precision);
        generate.run().succeeds();
        let config = std::fs::read(out.join(peft::CONFIG_FILE)).unwrap();
        peft::read(&config, "config", &model(&out), "model").unwrap()
    };
    let exact = read("f32");
    assert_eq!(exact.layout.targets(), Projection::ALL);
    assert_eq!(exact.layout.uniform_rank().unwrap(), 4);
    assert!(exact.max_abs() > 0.0);
    // Half a unit in the last place, for 11 and 8 significant bits.
    for (precision, tolerance) in [("f16", 1.0 / 2048.0), ("bf16", 1.0 / 256.0)] {
        let rounded = read(precision);
        assert_eq!(rounded.layout, exact.layout);
        for (rounded, exact) in rounded.factors.iter().zip(&exact.factors) {
            for (rounded, exact) in rounded.a.iter().zip(&exact.a) {
                assert!((rounded - exact).abs() <= exact.abs() * tolerance + 1e-7);
            }
        }
    }
}

#[test]
fn an_older_adapter_is_replaced() {
    let world = World::trained();
    let adapter = world.path("adapter");
    let few = world.prompts("few.txt", 2);
    world.generate(&few, &adapter).run().succeeds();
    let before = model(&adapter);
    let prompts = world.prompts("prompts.txt", PROMPTS);
    world.generate(&prompts, &adapter).run().succeeds();
    assert!(model(&adapter) != before, "the old adapter is still there");
    assert_eq!(names(&adapter).len(), 3);
}

#[test]
fn a_blank_description_is_refused() {
    let world = World::trained();
    let out = world.path("adapter");
    let generate = Dnd::new("generate")
        .with("--describe", "  ")
        .with("--out", &out);
    generate.run().fails(&["--describe", "found blanks"]);
}
