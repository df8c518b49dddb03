//! `dnd complete`: the same model gives the same completion from every file format.

use crate::gguf::TensorType;
use crate::language_model;
use crate::program::Dnd;
use crate::world::World;

const PROMPT: &str = "What is the opposite of hot?";

#[test]
fn greedy_answers_repeat_and_keep_to_their_length() {
    let world = World::new();
    let first = world.complete(PROMPT).run().succeeds();
    assert_eq!(first.stderr, "");
    assert_eq!(first.stdout, world.complete(PROMPT).run().succeeds().stdout);
    let short = Dnd::new("complete")
        .with("--base", world.base())
        .and(PROMPT)
        .with("--max-tokens", "1")
        .run()
        .succeeds();
    // A token is a byte here.
    assert!(
        short.stdout.trim_end_matches('\n').chars().count() <= 1,
        "{short}"
    );
    assert!(
        first.stdout.starts_with(short.stdout.trim_end()),
        "{first}\n{short}"
    );
    assert!(first.stdout.len() > short.stdout.len(), "{first}\n{short}");
}

/// Reading GGUF undoes the permutation of the q and k rows; a bug there changes every logit.
#[test]
fn a_gguf_file_answers_like_the_folder() {
    let world = World::new();
    let gguf = world.write("base.gguf", language_model::gguf(1, TensorType::F32));
    let logits = |base: &std::path::Path| {
        let path = world.path("logits.safetensors");
        Dnd::new("complete")
            .with("--base", base)
            .and(PROMPT)
            .with("--max-tokens", "12")
            .with("--logits", &path)
            .run()
            .succeeds();
        std::fs::read(path).unwrap()
    };
    assert!(logits(&gguf) == logits(&world.base()), "the logits differ");
}

#[test]
fn the_system_message_changes_the_answer() {
    let world = World::new();
    let plain = world.complete(PROMPT).run().succeeds().stdout;
    let default = world.complete(PROMPT).with("--system", "Be brief.");
    assert_eq!(
        default.run().succeeds().stdout,
        plain,
        "this is the template's default"
    );
    let other = world
        .complete(PROMPT)
        .with("--system", "You are a pirate of few words.");
    assert_ne!(other.run().succeeds().stdout, plain);
}

#[test]
fn draws_follow_their_seed() {
    let world = World::new();
    let draw = |seed: &str| {
        let complete = world
            .complete(PROMPT)
            .with("--temperature", "5")
            .with("--top-p", "1");
        complete.with("--seed", seed).run().succeeds().stdout
    };
    assert_eq!(draw("1"), draw("1"));
    assert_ne!(draw("1"), draw("2"));
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    let world = World::new();
    world
        .complete(PROMPT)
        .with("--top-p", "0.5")
        .run()
        .gets_refused(&["--temperature"]);
    world
        .complete(PROMPT)
        .with("--temperature", "0")
        .run()
        .gets_refused(&["above 0"]);
    world
        .complete(PROMPT)
        .with("--temperature", "hot")
        .run()
        .gets_refused(&["above 0"]);
    Dnd::new("complete").run().fails(&["expected a prompt"]);
    let piped = Dnd::new("complete").with("--base", world.base());
    let piped = piped
        .with("--max-tokens", "12")
        .input(PROMPT.as_bytes())
        .run()
        .succeeds();
    assert_eq!(piped.stdout, world.complete(PROMPT).run().succeeds().stdout);
    Dnd::new("answer").run().gets_refused(&["answer"]);
}

#[test]
fn a_talk_has_turns_and_can_leave_the_adapter() {
    let world = World::trained();
    let adapter = world.path("adapter");
    let prompts = world.prompts("prompts.txt", 8);
    world.generate(&prompts, &adapter).run().succeeds();
    let chat = |input: &str| {
        let chat = Dnd::new("chat").with("--base", world.base());
        let chat = chat.with("--max-tokens", "12").with("--adapter", &adapter);
        chat.input(input.as_bytes()).run().succeeds()
    };
    let adapted = world.complete(PROMPT).with("--adapter", &adapter);
    let adapted = adapted.run().succeeds().stdout;
    let plain = world.complete(PROMPT).run().succeeds().stdout;
    assert_eq!(chat(&format!("{PROMPT}\n\n/quit\nx\n")).stdout, adapted);
    assert_eq!(chat(&format!("/base\n{PROMPT}\n")).stdout, plain);
    // The second answer depends on the first turn, unless a new conversation begins.
    let twice = chat(&format!("{PROMPT}\n{PROMPT}\n")).stdout;
    assert_ne!(twice, adapted.repeat(2));
    let anew = chat(&format!("{PROMPT}\n/new\n{PROMPT}\n")).stdout;
    assert_eq!(anew, adapted.repeat(2));
}
