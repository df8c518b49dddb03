//! What training starts from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dnd_adapter::{Bundle, BundleTensor, Layout, Statistics, tokens};
use dnd_model::GeneratorConfig;
use dnd_model::files::Encoder;
use sha2::{Digest, Sha256};

use crate::collect::{Collection, initial_adapter};
use crate::{Error, Recipe};

/// Unit of the generator's output where nothing says otherwise.
const DEFAULT_SCALE: f64 = 0.02;

/// Where the mean adapter, and perhaps the generator, come from.
#[derive(Debug, Clone)]
pub enum Start {
    /// The seeded adapter that all collected adapters start from, and a new generator.
    Initial,
    /// Mean adapter and scale of a collection, and a new generator.
    Collection(Collection),
    /// An earlier bundle's mean, scale and generator.
    Bundle(PathBuf),
    /// An earlier bundle's mean and scale, and a new generator.
    Mean(PathBuf),
}

/// A start as numbers.
pub struct Beginning {
    /// Mean adapter as weight tokens, row-major.
    pub mean: Vec<f32>,
    /// Unit of each weight token.
    pub scale: Vec<f32>,
    /// Weights of the generator by their names in a bundle; none starts a new one.
    pub generator: Option<BTreeMap<String, BundleTensor>>,
    /// Tells this start from any other.
    pub fingerprint: String,
    /// Whether weights that contain this start may be given away.
    pub ships: bool,
}

impl Start {
    /// Reads the start and checks that it belongs to `layout` and `config`.
    ///
    /// # Errors
    /// When a file is missing, malformed, or of another layout, encoder or generator.
    pub fn open(
        &self,
        layout: &Layout,
        config: &GeneratorConfig,
        encoder: &Encoder,
        recipe: &Recipe,
    ) -> Result<Beginning, Error> {
        let [count, rank, width] = config.output();
        let scale = |value: f64| vec![value as f32; count];
        match self {
            Self::Initial => {
                let seed = recipe.collect.tune.seed;
                Ok(Beginning {
                    mean: tokens::from_adapter(&initial_adapter(layout, seed))?,
                    scale: scale(recipe.behaviour.scale.unwrap_or(DEFAULT_SCALE)),
                    generator: None,
                    fingerprint: format!("initial adapter of seed {seed}"),
                    ships: true,
                })
            }
            Self::Collection(collection) => {
                let found = &collection.header.layout;
                check("collection", "layout", layout == found)?;
                let tasks = collection.training_tasks()?;
                let mut samples = Vec::with_capacity(tasks.len());
                let mut digest = Sha256::new();
                for task in &tasks {
                    let sample = tokens::from_adapter(&collection.last_snapshot(task)?)?;
                    sample
                        .iter()
                        .for_each(|value| digest.update(value.to_le_bytes()));
                    samples.push(sample);
                }
                let samples = samples.iter().map(Vec::as_slice);
                let statistics = Statistics::from_samples(samples, rank * width)?;
                Ok(Beginning {
                    mean: statistics.mean,
                    scale: recipe.behaviour.scale.map_or(statistics.scale, scale),
                    generator: None,
                    fingerprint: format!("collection {}", dnd_files::hex(&digest.finalize())),
                    ships: tasks.iter().all(|task| task.ship),
                })
            }
            Self::Bundle(path) | Self::Mean(path) => {
                let bytes = dnd_files::read(path)?;
                let name = path.display().to_string();
                let bundle = Bundle::read(&bytes, &name)?;
                // Where there is no generator to train, only the mean adapter is taken.
                let is_whole = matches!(self, Self::Bundle(_));
                let takes_generator = is_whole && recipe.behaviour.train_generator;
                check(&name, "layout", bundle.header.layout == *layout)?;
                if takes_generator {
                    check_generator(&bundle, path, config, encoder)?;
                }
                let statistics = bundle.statistics()?;
                let ships = &bundle.header.provenance["all_tasks_ship"];
                Ok(Beginning {
                    mean: statistics.mean,
                    scale: statistics.scale,
                    ships: ships.as_bool().unwrap_or(false),
                    generator: takes_generator.then_some(bundle.tensors),
                    fingerprint: format!("bundle {}", dnd_files::sha256(&bytes)),
                })
            }
        }
    }
}

/// An error unless `agrees`.
fn check(source: &str, field: &str, agrees: bool) -> Result<(), Error> {
    if agrees {
        return Ok(());
    }
    Err(Error::argument(
        &format!("{source}: {field}"),
        "that of the recipe and the models",
        "another",
    ))
}

fn check_generator(
    bundle: &Bundle,
    path: &Path,
    config: &GeneratorConfig,
    encoder: &Encoder,
) -> Result<(), Error> {
    let name = path.display().to_string();
    let header = &bundle.header;
    let found: GeneratorConfig = serde_json::from_value(header.generator.clone())
        .map_err(|e| Error::content(path, format!("generator: {e}")))?;
    check(&name, "generator", found == *config)?;
    let encoder = encoder.id()?;
    check(&name, "encoder", header.encoder.sha256 == encoder.sha256)
}
