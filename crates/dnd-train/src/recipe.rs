//! The recipe of a bundle: one TOML file from tasks to generator.

use std::path::Path;

use dnd_adapter::{Layout, Projection, published, tokens};
use dnd_model::{ExpansionConfig, GeneratorConfig};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::collect::TuneSettings;
use crate::objective::behaviour::settings::BehaviourSettings;
use crate::validate::{not_negative, positive};

/// All settings of a bundle; every field may be left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// How the adapters are collected.
    pub collect: CollectRecipe,
    /// The generator's sizes.
    pub generator: GeneratorRecipe,
    /// How it is trained on the weights of a collection. Recipes of 0.1 call the table `[fit]`.
    #[serde(alias = "fit")]
    pub weights: WeightsSettings,
    /// How it is trained on tasks, by the behaviour of the adapted model.
    pub behaviour: BehaviourSettings,
    /// What `dnd plan` checks; it does not change a bundle.
    #[serde(skip_serializing)]
    pub budget: Budget,
}

/// Limits that a plan is checked against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Largest bundle, in MB.
    pub bundle_mb: Option<f64>,
    /// Most memory of training, in GB.
    pub training_gb: Option<f64>,
}

/// How the adapters are collected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CollectRecipe {
    /// Take only tasks whose licence lets weights trained on them be given away.
    pub ship: bool,
    /// Rank of the adapters.
    pub rank: usize,
    /// Alpha of the adapters.
    pub alpha: f32,
    /// Projections that the adapters cover.
    pub targets: Vec<Projection>,
    /// Fine-tuning.
    pub tune: TuneSettings,
}

impl Default for CollectRecipe {
    fn default() -> Self {
        Self {
            ship: false,
            rank: 8,
            alpha: 16.0,
            targets: Projection::ALL.to_vec(),
            tune: TuneSettings::default(),
        }
    }
}

/// The generator's sizes; its last shape follows from the collection's layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneratorRecipe {
    /// Prompts N of a condition.
    pub prompts: usize,
    /// Tokens L of a prompt; longer prompts are cut.
    pub tokens_per_prompt: usize,
    /// Attention pooling in front of the cascade; without it the cascade reads the condition.
    pub pooling: Option<PoolingRecipe>,
    /// Rows and columns of the features of each module, which one matrix per module type expands
    /// to its `B`; without them the cascade's output is the weight tokens.
    pub features: Option<[usize; 2]>,
    /// Rows and columns of the published code's tiles, such as 8 x 128 for Qwen2.5-0.5B: the
    /// cascade's output is then its weight tokens, which can be planned and not trained here.
    // Left out where there is none: recipes are compared with those of earlier bundles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published_tile: Option<(usize, usize)>,
    /// Shapes (N, L, C) between the layers.
    pub hidden: Vec<[usize; 3]>,
    /// Kernel of the convolutions that mix tokens and widths.
    pub kernel_size: usize,
    /// Kernel of the convolution that mixes prompts.
    pub prompt_kernel_size: usize,
}

/// The block that learned queries pool a condition to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolingRecipe {
    /// First axis of the block.
    pub queries: usize,
    /// Second axis of the block.
    pub positions: usize,
}

impl Default for GeneratorRecipe {
    fn default() -> Self {
        Self {
            prompts: 32,
            tokens_per_prompt: 32,
            pooling: None,
            features: None,
            published_tile: None,
            hidden: vec![[64, 16, 96], [128, 8, 96]],
            kernel_size: 3,
            prompt_kernel_size: 1,
        }
    }
}

impl GeneratorRecipe {
    /// The generator's configuration for an encoder of `width` C and adapters of a layout.
    ///
    /// # Errors
    /// When the layout cannot be cut into weight tokens, or the recipe is for planning alone.
    pub fn config(&self, width: usize, layout: &Layout) -> Result<GeneratorConfig, Error> {
        if let Some((rows, columns)) = self.published_tile {
            return Err(dnd_files::Error::argument(
                "generator.published_tile",
                "none, because such recipes can only be planned",
                format!("{rows} x {columns}"),
            )
            .into());
        }
        self.planned(width, layout)
    }

    /// As [`config`](Self::config), for recipes with `published_tile` too.
    ///
    /// # Errors
    /// When the layout cannot be cut into weight tokens.
    pub fn planned(&self, width: usize, layout: &Layout) -> Result<GeneratorConfig, Error> {
        let output = match self.published_tile {
            Some(tile) => published::token_shape(layout, tile)?,
            None => tokens::shape(layout)?,
        };
        let expansion = match self.features {
            Some(_) => Some(ExpansionConfig::new(layout)?),
            None => None,
        };
        Ok(self.sizes(width, output, expansion))
    }

    fn sizes(
        &self,
        width: usize,
        output: [usize; 3],
        expansion: Option<ExpansionConfig>,
    ) -> GeneratorConfig {
        let input = match self.pooling {
            Some(pooling) => [pooling.queries, pooling.positions, width],
            None => [self.prompts, self.tokens_per_prompt, width],
        };
        let last = match (&expansion, self.features) {
            (Some(expansion), Some([rows, columns])) => [expansion.blocks(), rows, columns],
            _ => output,
        };
        let hidden = self.hidden.iter().copied();
        GeneratorConfig {
            features: [input].into_iter().chain(hidden).chain([last]).collect(),
            kernel_size: self.kernel_size,
            prompt_kernel_size: self.prompt_kernel_size,
            pooling: self.pooling.is_some(),
            expansion,
        }
    }
}

/// How a generator is trained on the weights of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeightsSettings {
    /// Optimizer steps.
    pub steps: usize,
    /// Pairs a step.
    pub batch: usize,
    /// Learning rate after warm-up; it falls to zero along a cosine.
    pub rate: f64,
    /// Steps over which the rate rises from zero.
    pub warm_up: usize,
    /// Decoupled weight decay of AdamW.
    pub weight_decay: f32,
    /// Largest norm of all gradients together.
    pub clip: f32,
    /// Standard deviation of the noise added to the condition.
    pub condition_noise: f64,
    /// Standard deviation of the noise added to the (normalized) target.
    pub target_noise: f64,
    /// Prompts a task that are encoded; each step draws from them afresh.
    pub prompt_pool: usize,
    /// Prompts a task that are kept from training, for the validation loss.
    pub validation_prompts: usize,
    /// Steps between validation losses and log lines.
    pub report_every: usize,
    /// Seed of weights, draws and noise.
    pub seed: u64,
}

impl Default for WeightsSettings {
    fn default() -> Self {
        Self {
            steps: 600,
            batch: 4,
            rate: 1e-3,
            warm_up: 10,
            weight_decay: 0.1,
            clip: 1.0,
            condition_noise: 1e-4,
            target_noise: 1e-5,
            prompt_pool: 128,
            validation_prompts: 32,
            report_every: 25,
            seed: 0,
        }
    }
}

impl WeightsSettings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`dnd_files::Error::Argument`] naming the field that cannot.
    pub fn validate(&self) -> Result<(), Error> {
        positive("rate", self.rate)?;
        positive("clip", self.clip.into())?;
        not_negative("weight_decay", self.weight_decay.into())?;
        not_negative("condition_noise", self.condition_noise)?;
        not_negative("target_noise", self.target_noise)
    }
}

impl Recipe {
    /// Reads a recipe.
    ///
    /// # Errors
    /// When the file is missing, is not TOML, or has a field that does not exist.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = dnd_files::read_text(path)?;
        let recipe: Self = toml::from_str(&text)
            .map_err(|e| Error::content(path, e.to_string().trim_end().replace('\n', " ")))?;
        for (field, value) in [
            ("weights.steps", recipe.weights.steps),
            ("weights.batch", recipe.weights.batch),
            ("weights.report_every", recipe.weights.report_every),
            ("generator.prompts", recipe.generator.prompts),
            (
                "generator.tokens_per_prompt",
                recipe.generator.tokens_per_prompt,
            ),
        ] {
            if value == 0 {
                return Err(Error::content(
                    path,
                    format!("field `{field}`: expected at least 1, found 0"),
                ));
            }
        }
        // The encoder's width and the layout's tiles are not known yet; any will do.
        let config = recipe.generator.sizes(1, [1, 1, 1], None);
        config.validate(&path.display().to_string())?;
        let in_file = |error: Error| Error::content(path, error);
        if recipe.generator.published_tile.is_some() && recipe.generator.features.is_some() {
            return Err(Error::content(
                path,
                "expected one of the fields `generator.features` and `generator.published_tile`, \
                 found both",
            ));
        }
        for (field, limit) in [
            ("budget.bundle_mb", recipe.budget.bundle_mb),
            ("budget.training_gb", recipe.budget.training_gb),
        ] {
            positive(field, limit.unwrap_or(1.0)).map_err(in_file)?;
        }
        recipe.collect.tune.validate().map_err(in_file)?;
        recipe.weights.validate().map_err(in_file)?;
        recipe.behaviour.validate().map_err(in_file)?;
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_recipe_is_the_default() {
        assert_eq!(toml::from_str::<Recipe>("").unwrap(), Recipe::default());
    }

    /// An interrupted run compares its recipe, as JSON, with the one that it was started with.
    #[test]
    fn new_fields_do_not_change_what_a_run_is_recognized_by() {
        let json = serde_json::to_value(Recipe::default()).unwrap();
        assert!(json.get("budget").is_none());
        assert!(json["generator"].get("published_tile").is_none());
    }

    #[test]
    fn an_unknown_field_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("recipe.toml");
        dnd_files::write(&path, b"[weights]\nsteeps = 3\n").unwrap();
        let message = Recipe::read(&path).unwrap_err().to_string();
        assert!(
            message.contains("steeps") && !message.contains('\n'),
            "{message}"
        );
    }
}
