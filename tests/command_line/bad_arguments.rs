//! Arguments, recipes and task folders that cannot be used.

use crate::program::Dnd;
use crate::world::{World, file_name, names};

#[test]
fn an_unknown_task() {
    let world = World::collected();
    let words = ["index.json", "`nonsense`"];
    let out = world.path("out");
    world
        .collect(&out)
        .with("--only", "length,nonsense")
        .run()
        .fails(&words);
    assert!(!out.exists(), "{:?}", names(&out));
    let json = world.path("report.json");
    world
        .eval("base", &json)
        .with("--only", "nonsense")
        .run()
        .fails(&words);
    assert!(!json.exists());
}

#[test]
fn shards_that_do_not_exist() {
    let world = World::new();
    let out = world.path("out");
    for shard in ["0/2", "3/2", "2", "1/0", "a/b", "1/2/3"] {
        world
            .collect(&out)
            .with("--shard", shard)
            .run()
            .gets_refused(&["--shard", "i/n"]);
    }
    assert!(!out.exists());
}

#[test]
fn numbers_out_of_range() {
    let world = World::collected();
    let out = world.path("out");
    world
        .collect(&out)
        .with("--steps", "many")
        .run()
        .gets_refused(&["--steps"]);
    world
        .collect_steps(&out, "1", "0")
        .run()
        .fails(&["snapshots"]);
    let json = world.path("report.json");
    world
        .eval("base", &json)
        .with("--limit", "0")
        .run()
        .gets_refused(&["--limit"]);
    world
        .eval("cleverest", &json)
        .run()
        .gets_refused(&["cleverest", "nearest"]);
    world
        .eval("few:0", &json)
        .run()
        .gets_refused(&["few:0", "few:K"]);
    world
        .eval("adapter:", &json)
        .run()
        .gets_refused(&["adapter:DIR"]);
    assert!(!out.exists() && !json.exists());
}

#[test]
fn recipes_that_cannot_be_meant() {
    let world = World::collected();
    let out = world.path("out.safetensors");
    for (recipe, word) in [
        ("[weights]\nsteeps = 3\n", "steeps"),
        ("[generators]\nprompts = 3\n", "generators"),
        ("[weights]\nsteps = \"many\"\n", "steps"),
        ("[weights]\nsteps = -3\n", "steps"),
        ("[weights]\nsteps = 0\n", "weights.steps"),
        ("[weights]\nbatch = 0\n", "weights.batch"),
        ("[generator]\nprompts = 0\n", "generator.prompts"),
        ("[generator]\nkernel_size = 2\n", "kernel_size"),
        ("[generator]\nhidden = [[8, 0, 16]]\n", "features"),
        ("[weights\n", "1"),
        ("\u{0}", "binary file"),
    ] {
        let config = world.write("recipe.toml", recipe);
        world.train(&out).run().fails(&["recipe.toml", word]);
        let collection = world.path("other");
        if !recipe.contains("kernel_size") && !recipe.contains("hidden") {
            world
                .collect(&collection)
                .run()
                .fails(&[file_name(&config), word]);
        }
        assert!(!out.exists() && !collection.exists());
    }
}

#[test]
fn task_folders_that_are_not_whole() {
    let world = World::new();
    let out = world.path("out");
    let collect = || world.collect(&out).with("--only", "length").run();
    let lines = world.path("tasks/length.train.jsonl");
    for (content, word) in [
        ("", "at least one line"),
        (
            "{\"prompt\": \"a\", \"response\": \"b\"}\n{\"prompt\": \"a\"}\n",
            "line 2",
        ),
        ("{\"prompt\": \"a\", \"response\": 3}\n", "line 1"),
    ] {
        std::fs::write(&lines, content).unwrap();
        collect().fails(&["length.train.jsonl", word]);
    }
    std::fs::remove_file(lines).unwrap();
    collect().fails(&["length.train.jsonl"]);
    world.write("tasks/index.json", "{\"tasks\": [{\"name\": \"length\"}]}");
    collect().fails(&["index.json", "family"]);
    std::fs::remove_file(world.path("tasks/index.json")).unwrap();
    collect().fails(&["index.json"]);
    let task = out.join("length");
    assert!(!task.join("manifest.json").exists());
}

#[test]
fn things_that_are_not_there() {
    let world = World::collected();
    let out = world.path("out");
    let prompts = world.prompts("prompts.txt", 8);
    let missing = world.path("missing.safetensors");
    world
        .generate_with(&missing, &prompts, &out)
        .run()
        .fails(&["missing.safetensors"]);
    world
        .generate_with(&world.tasks(), &prompts, &out)
        .run()
        .fails(&["tasks"]);
    Dnd::new("inspect")
        .and(&missing)
        .run()
        .fails(&["missing.safetensors"]);
    Dnd::new("inspect")
        .and(world.tasks())
        .run()
        .fails(&["tasks"]);
    let train = |collection: &str, config: &str| {
        Dnd::new("train")
            .with("--collection", world.path(collection))
            .with("--encoder", world.encoder())
            .with("--config", world.path(config))
            .with("--out", &out)
            .run()
    };
    train("missing", "recipe.toml").fails(&["missing"]);
    train("collection", "missing.toml").fails(&["missing.toml"]);
    let unfinished = world.path("unfinished");
    std::fs::create_dir(&unfinished).unwrap();
    let header = world.path("collection/collection.json");
    std::fs::copy(header, unfinished.join("collection.json")).unwrap();
    train("unfinished", "recipe.toml").fails(&["unfinished", "finished task"]);
    assert!(!out.exists());
}
