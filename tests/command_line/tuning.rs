//! `dnd tune`: going on from an adapter with labelled lines.

use crate::program::Dnd;
use crate::world::{BASE_MODEL, DEV_TASK, World, contents};

#[test]
fn an_adapter_is_tuned_on_labelled_lines() {
    let world = World::trained();
    let tune = |start: &str| {
        Dnd::new("tune")
            .with("--start", start)
            .with("--tasks", world.tasks())
            .with("--base", world.base())
            .with("--base-model", BASE_MODEL)
            .with("--encoder", world.encoder())
            .with("--bundle", world.bundle())
            .with("--lines", "1,4")
            .with("--out", world.path("tuned"))
    };
    let outcome = tune("generated").run().succeeds();
    assert_eq!(outcome.stdout.lines().count(), 2, "{outcome}");
    assert!(outcome.stdout.contains("4 lines, loss"), "{outcome}");
    let folder = world.path("tuned").join(DEV_TASK);
    let [one, four] = ["1", "4"].map(|count| contents(&folder.join(count)));
    assert!(one != four);

    // Tuning can go on from what it wrote.
    let start = folder.join("4");
    tune(start.to_str().unwrap()).run().succeeds();
    assert!(contents(&folder.join("4")) != four);

    tune("nowhere").run().fails(&["nowhere"]);
    tune("generated")
        .with("--asked", "bare")
        .run()
        .fails(&["--asked bare", DEV_TASK]);
    tune("generated")
        .with("--asked", "politely")
        .run()
        .gets_refused(&["full or bare"]);
}
