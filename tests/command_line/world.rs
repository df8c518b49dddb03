//! A fixture folder with everything that `dnd` reads, small enough to create for every test.
//!
//! nextest runs every test in its own process, so tests cannot share a fixture. Each test owns one,
//! which is removed at its end.

use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use crate::program::Dnd;
use crate::{language_model, text_encoder};

/// What adapters call the base model.
pub const BASE_MODEL: &str = "HuggingFaceTB/SmolLM2-135M-Instruct";

/// Tasks with role `train`, in the order of the index.
pub const TRAIN_TASKS: [&str; 3] = ["always_a", "first_letter", "length"];
/// The one with role `dev`.
pub const DEV_TASK: &str = "last_letter";
/// Lines in each file of a task.
pub const LINES: usize = 12;
/// Prompts that a generator of [`RECIPE`] reads.
pub const PROMPTS: usize = 8;

const WORDS: [&str; 2 * LINES] = [
    "apple", "river", "stone", "cloud", "green", "tiger", "house", "music", "paper", "ocean",
    "light", "bread", "chair", "dream", "eagle", "flame", "grape", "honey", "island", "jungle",
    "kettle", "lemon", "mirror", "night",
];

/// Noise keeps its defaults, because runs must be reproducible with it.
const RECIPE: &str = "
[collect]
rank = 4
alpha = 8.0

[generator]
prompts = 8
tokens_per_prompt = 16
hidden = [[8, 8, 16]]

[weights]
steps = 6
batch = 2
rate = 0.01
warm_up = 1
report_every = 2
prompt_pool = 8
validation_prompts = 4
";

/// Models, tasks and a recipe in a temporary folder.
pub struct World {
    folder: TempDir,
}

impl World {
    pub fn new() -> Self {
        let world = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        language_model::write_folder(&world.base(), 1);
        text_encoder::write_folder(&world.encoder(), 2);
        world.write_tasks();
        world.write("recipe.toml", RECIPE);
        world
    }

    /// A world with a collection.
    pub fn collected() -> Self {
        let world = Self::new();
        world.collect(&world.collection()).run().succeeds();
        world
    }

    /// A world with a collection and a bundle.
    pub fn trained() -> Self {
        let world = Self::collected();
        world.train(&world.bundle()).run().succeeds();
        world
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    pub fn base(&self) -> PathBuf {
        self.path("base")
    }

    pub fn encoder(&self) -> PathBuf {
        self.path("encoder")
    }

    pub fn tasks(&self) -> PathBuf {
        self.path("tasks")
    }

    pub fn recipe(&self) -> PathBuf {
        self.path("recipe.toml")
    }

    pub fn collection(&self) -> PathBuf {
        self.path("collection")
    }

    pub fn bundle(&self) -> PathBuf {
        self.path("bundle.safetensors")
    }

    /// `dnd collect` into `out`, with 3 + 2 steps per task.
    pub fn collect(&self, out: &Path) -> Dnd {
        self.collect_steps(out, "3", "2")
    }

    /// `dnd collect` with this many steps and snapshots.
    pub fn collect_steps(&self, out: &Path, steps: &str, snapshots: &str) -> Dnd {
        Dnd::new("collect")
            .with("--tasks", self.tasks())
            .with("--base", self.base())
            .with("--base-model", BASE_MODEL)
            .with("--config", self.recipe())
            .with("--steps", steps)
            .with("--snapshots", snapshots)
            .with("--batch", "4")
            .with("--out", out)
    }

    /// `dnd train` on the world's collection.
    pub fn train(&self, out: &Path) -> Dnd {
        Dnd::new("train")
            .with("--collection", self.collection())
            .with("--encoder", self.encoder())
            .with("--config", self.recipe())
            .with("--out", out)
    }

    /// `dnd generate` with the world's bundle.
    pub fn generate(&self, prompts: &Path, out: &Path) -> Dnd {
        self.generate_with(&self.bundle(), prompts, out)
    }

    /// `dnd generate` with any bundle.
    pub fn generate_with(&self, bundle: &Path, prompts: &Path, out: &Path) -> Dnd {
        Dnd::new("generate")
            .with("--bundle", bundle)
            .with("--encoder", self.encoder())
            .with("--prompts", prompts)
            .with("--out", out)
    }

    /// `dnd eval` of these methods on the dev task.
    pub fn eval(&self, methods: &str, json: &Path) -> Dnd {
        Dnd::new("eval")
            .with("--tasks", self.tasks())
            .with("--base", self.base())
            .with("--base-model", BASE_MODEL)
            .with("--encoder", self.encoder())
            .with("--collection", self.collection())
            .with("--bundle", self.bundle())
            .with("--methods", methods)
            .with("--json", json)
    }

    /// `dnd complete` with the base model.
    pub fn complete(&self, prompt: &str) -> Dnd {
        Dnd::new("complete")
            .with("--base", self.base())
            .and(prompt)
            .with("--max-tokens", "12")
    }

    /// Writes a file of `count` distinct prompts, one per line.
    pub fn prompts(&self, name: &str, count: usize) -> PathBuf {
        let lines: String = prompts(count).map(|prompt| prompt + "\n").collect();
        self.write(name, lines)
    }

    fn write_tasks(&self) {
        std::fs::create_dir(self.tasks()).unwrap();
        let entry = |name: &str, role: &str, ship: bool| {
            let family = "letters";
            json!({"name": name, "family": family, "role": role, "ship": ship})
        };
        let index = json!({"tasks": [
            entry("always_a", "train", true),
            entry("first_letter", "train", true),
            entry(DEV_TASK, "dev", false),
            entry("length", "train", false),
        ]});
        self.write("tasks/index.json", index.to_string());
        type Answer = fn(&str) -> String;
        let answers: [(&str, Answer); 4] = [
            ("always_a", |_| "a".to_owned()),
            ("first_letter", |word| word[..1].to_owned()),
            ("length", |word| word.len().to_string()),
            (DEV_TASK, |word| word[word.len() - 1..].to_owned()),
        ];
        for (name, answer) in answers {
            for (split, words) in ["train", "test"].iter().zip(WORDS.chunks(LINES)) {
                let lines: String = words
                    .iter()
                    .map(|word| {
                        let prompt = format!("{} of {word}?", name.replace('_', " "));
                        format!("{}\n", json!({"prompt": prompt, "response": answer(word)}))
                    })
                    .collect();
                self.write(&format!("tasks/{name}.{split}.jsonl"), lines);
            }
        }
    }
}

/// `count` distinct prompts.
pub fn prompts(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|index| format!("say, {} number {index}", WORDS[index % WORDS.len()]))
}

/// Names in a folder, sorted; hidden ones too, because temporary files are hidden.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The bytes of all files in a folder, by name.
pub fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let names = names(folder).into_iter();
    names
        .map(|name| (name.clone(), std::fs::read(folder.join(name)).unwrap()))
        .collect()
}

/// The file name of a path, which every error about it must contain.
pub fn file_name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}
