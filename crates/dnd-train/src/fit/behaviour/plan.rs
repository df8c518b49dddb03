//! All that decides a fit before its first step.

use dnd_adapter::Layout;
use dnd_model::GeneratorConfig;
use dnd_model::language::Products;
use serde_json::{Map, Value, json};

use super::choose::Choice;
use super::run::BehaviourOptions;
use super::start::Beginning;
use super::state::{BehaviourHeader, Progress};
use crate::Error;
use crate::fit::Recipe;
use crate::models::{BASE_MODEL, Base, Encoder};

/// Tasks, sizes and start of a fit.
pub struct Plan<'a> {
    /// The settings.
    pub recipe: &'a Recipe,
    /// What the adapters cover.
    pub layout: Layout,
    /// The generator's sizes.
    pub config: GeneratorConfig,
    /// The tasks.
    pub choice: Choice<'a>,
    /// Mean adapter, scale and perhaps weights to start from.
    pub beginning: Beginning,
    /// How the base model multiplies.
    pub products: Products,
}

impl<'a> Plan<'a> {
    /// Chooses the tasks and reads the start.
    ///
    /// # Errors
    /// When the settings, the names of tasks, or the start cannot be used.
    pub fn new(
        base: &Base,
        encoder: &Encoder,
        options: &'a BehaviourOptions,
    ) -> Result<Self, Error> {
        let recipe = options.recipe;
        recipe.behaviour.validate()?;
        let ship = options.ship || recipe.collect.ship;
        let choice = Choice::new(options.tasks, ship, &options.held_out, options.most_tasks)?;
        let layout = Layout::new(
            BASE_MODEL,
            &base.model.config().dimensions,
            recipe.collect.rank,
            recipe.collect.alpha,
            &recipe.collect.targets,
        )?;
        let config = recipe
            .generator
            .config(encoder.model.hidden_size(), &layout)?;
        let beginning = options.start.open(&layout, &config, encoder, recipe)?;
        Ok(Self {
            recipe,
            layout,
            config,
            choice,
            beginning,
            products: base.products,
        })
    }

    /// What decides a bundle: the same inputs make the same one.
    pub fn inputs(&self) -> Map<String, Value> {
        let recipe = json!({
            "generator": self.recipe.generator,
            "behaviour": self.recipe.behaviour,
        });
        [
            ("objective", json!("behaviour")),
            ("recipe", recipe),
            ("start", json!(self.beginning.fingerprint)),
            ("tasks", json!(self.choice.training_names())),
            ("held_out", json!(self.choice.held_out_names())),
            ("products", json!(self.products)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect()
    }

    /// The header of a state that belongs to this plan, before the first step.
    pub fn header(&self) -> BehaviourHeader {
        BehaviourHeader {
            progress: Progress::default(),
            recipe: self.recipe.clone(),
            layout: self.layout.clone(),
            start: self.beginning.fingerprint.clone(),
            tasks: self.choice.training_names(),
            held_out: self.choice.held_out_names(),
            products: self.products,
        }
    }
}
