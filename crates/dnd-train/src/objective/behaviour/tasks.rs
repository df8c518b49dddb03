//! Which tasks are trained on, and which are left out to validate with.

use dnd_tasks::{Role, Task, TaskFolder};

use crate::Error;

/// A task and the folder that it lies in.
#[derive(Debug, Clone, Copy)]
pub struct Chosen<'a> {
    /// The folder.
    pub folder: &'a TaskFolder,
    /// The task.
    pub task: &'a Task,
}

/// The tasks of a run.
#[derive(Debug, Clone)]
pub struct Choice<'a> {
    /// Those to train on.
    pub training: Vec<Chosen<'a>>,
    /// Those to validate with, in the order in which they were named.
    pub held_out: Vec<Chosen<'a>>,
}

impl<'a> Choice<'a> {
    /// Takes the tasks of `folders` with role `train`, with `ship` only those that ship, and leaves
    /// out those called `held_out`; of the rest it takes at most `most`, spread over all. Tasks
    /// with role `dev` are never touched: who chooses by them cannot measure on them.
    ///
    /// # Errors
    /// [`dnd_files::Error::Argument`] when a name occurs twice, one of `held_out` is not among the
    /// tasks, or none is left to train on.
    pub fn new(
        folders: &'a [TaskFolder],
        ship: bool,
        held_out: &[String],
        most: Option<usize>,
    ) -> Result<Self, Error> {
        let all = folders.iter().flat_map(|folder| {
            let tasks = folder.tasks.iter();
            tasks.map(move |task| Chosen { folder, task })
        });
        let mut training: Vec<Chosen> = all
            .filter(|chosen| chosen.task.role == Role::Train && (!ship || chosen.task.ship))
            .collect();
        let mut names: Vec<&str> = training.iter().map(|chosen| &*chosen.task.name).collect();
        names.sort_unstable();
        if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let found = format!("`{}` twice", pair[0]);
            return Err(Error::argument("tasks", "each name once", found));
        }
        let mut left_out = Vec::new();
        for name in held_out {
            let place = training.iter().position(|chosen| chosen.task.name == *name);
            let Some(place) = place else {
                let kind = if ship { ", among those that ship" } else { "" };
                let expected = format!("tasks with role `train`{kind}, each once");
                return Err(Error::argument("holdout", &expected, format!("`{name}`")));
            };
            left_out.push(training.remove(place));
        }
        if let Some(most) = most.filter(|&most| most < training.len()) {
            let count = training.len();
            training = (0..most)
                .map(|place| training[place * count / most])
                .collect();
        }
        if training.is_empty() {
            let expected = "at least one task with role `train` that is not held out";
            return Err(Error::argument("tasks", expected, "none"));
        }
        Ok(Self {
            training,
            held_out: left_out,
        })
    }

    /// Names of the tasks that are trained on.
    pub fn training_names(&self) -> Vec<String> {
        names(&self.training)
    }

    /// How often each training task is drawn: as `n^(-3/4)` for a folder of `n` training tasks, so
    /// that few collected tasks are not lost among many made ones.
    pub fn weights(&self) -> Vec<f64> {
        let of_folder = |chosen: &Chosen| {
            let others = self.training.iter();
            others
                .filter(|other| std::ptr::eq(other.folder, chosen.folder))
                .count()
        };
        let counts = self.training.iter().map(of_folder);
        counts.map(|count| (count as f64).powf(-0.75)).collect()
    }

    /// Names of the tasks that are left out.
    pub fn held_out_names(&self) -> Vec<String> {
        names(&self.held_out)
    }

    /// Whether weights that were trained or chosen by these tasks may be given away.
    pub fn all_ship(&self) -> bool {
        let mut all = self.training.iter().chain(&self.held_out);
        all.all(|chosen| chosen.task.ship)
    }
}

fn names(tasks: &[Chosen]) -> Vec<String> {
    tasks
        .iter()
        .map(|chosen| chosen.task.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(tasks: &[(&str, &str, bool)]) -> TaskFolder {
        let folder = tempfile::tempdir().unwrap();
        let tasks: Vec<_> = tasks
            .iter()
            .map(|(name, role, ship)| {
                serde_json::json!({"name": name, "family": "f", "role": role, "ship": ship})
            })
            .collect();
        let index = serde_json::json!({ "tasks": tasks });
        dnd_files::write_json(&folder.path().join("index.json"), &index).unwrap();
        TaskFolder::open(folder.path()).unwrap()
    }

    #[test]
    fn held_out_tasks_come_from_the_training_tasks() {
        let folders = [
            folder(&[
                ("a", "train", true),
                ("b", "train", false),
                ("c", "dev", true),
            ]),
            folder(&[("d", "train", true)]),
        ];
        let name = |text: &str| vec![text.to_owned()];
        let choice = Choice::new(&folders, false, &name("b"), None).unwrap();
        assert_eq!(choice.training_names(), ["a", "d"]);
        assert_eq!(choice.held_out_names(), ["b"]);
        assert_eq!(choice.weights(), [1.0, 1.0]);
        assert!(!choice.all_ship());
        let choice = Choice::new(&folders, true, &[], None).unwrap();
        assert_eq!(choice.training_names(), ["a", "d"]);
        assert!(choice.all_ship());
        let names = |most| {
            Choice::new(&folders, false, &[], Some(most))
                .unwrap()
                .training_names()
        };
        assert_eq!(names(2), ["a", "b"]);
        assert_eq!(names(9), ["a", "b", "d"]);
        assert!(Choice::new(&folders, false, &[], Some(0)).is_err());
        // A development task, one that does not ship, and one that nobody knows.
        for (ship, held_out) in [(false, "c"), (true, "b"), (false, "x")] {
            let message = Choice::new(&folders, ship, &name(held_out), None).unwrap_err();
            assert!(message.to_string().starts_with("holdout"), "{message}");
        }
    }

    #[test]
    fn a_name_in_two_folders_is_refused() {
        let folders = [
            folder(&[("a", "train", true)]),
            folder(&[("a", "train", true)]),
        ];
        let message = Choice::new(&folders, false, &[], None)
            .unwrap_err()
            .to_string();
        assert!(message.contains("`a` twice"), "{message}");
    }
}
