//! One module per command: its arguments and its output.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use dnd_adapter::Bundle;
use dnd_files::Observer;
use dnd_model::files::{BASE_MODEL, BASE_SIZES, Base, default_base};
use dnd_model::language::MatmulDtype;
use dnd_tasks::TaskFolder;
use dnd_tasks::suite;

use crate::output;

pub mod adapter;
pub mod chat;
pub mod collect;
pub mod complete;
pub mod convert;
pub mod eval;
pub mod generate;
pub mod inspect;
pub mod merge;
pub mod plan;
pub mod report;
pub mod serve;
pub mod tasks;
pub mod train;
pub mod tune;

/// The shipped bundle, from the root of the repository.
const BUNDLE: &str = "assets/smollm2-135m.safetensors";

/// The device: a flag of commands that compute.
#[derive(clap::Args)]
pub struct DeviceArg {
    /// Device to run on; `auto` picks the fastest kind in this build
    #[arg(
        long,
        default_value = "auto",
        value_parser = clap::builder::PossibleValuesParser::new(dnd_model::device::DEVICE_NAMES)
    )]
    device: String,
}

/// The base model, of commands that make or measure adapters.
#[derive(clap::Args)]
pub struct NamedBase {
    /// GGUF file or folder of the base model [default: in the cache]
    #[arg(long = "base", value_name = "PATH")]
    path: Option<PathBuf>,

    /// What adapters and bundles call the base model, such as its name on the Hugging Face Hub
    /// [default: HuggingFaceTB/SmolLM2-135M-Instruct]
    #[arg(long = "base-model", value_name = "NAME")]
    name: Option<String>,
}

impl NamedBase {
    /// What adapters call the base model.
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(BASE_MODEL)
    }

    /// Its file or folder.
    fn path(&self) -> PathBuf {
        self.path.clone().unwrap_or_else(default_base)
    }

    /// Loads it; says so if its name is a guess that its sizes contradict.
    fn open(&self, compute: &Compute, device: &Device) -> Result<Base> {
        let mut base = compute.open_base(self.path.as_deref(), device)?;
        self.name().clone_into(&mut base.name);
        let dimensions = &base.model.config().dimensions;
        let sizes = (dimensions.num_layers, dimensions.hidden_size);
        if self.name.is_none() && sizes != BASE_SIZES {
            output::eprint_line(&format!(
                "note: adapters will name {BASE_MODEL} as their base model; --base-model NAME \
                 changes that"
            ));
        }
        Ok(base)
    }
}

/// Device and matmul dtype: flags of commands that run the base model.
#[derive(clap::Args)]
pub struct Compute {
    #[command(flatten)]
    device: DeviceArg,

    /// Dtype for matmuls with the base model's frozen weights; `auto` picks bf16 on CPUs with Intel
    /// AMX, where it is faster for many tokens at once; `stored` keeps weights in 4, 8 or 16 bits
    /// as they are in the file, for little memory [default: stored for complete and chat, else f32]
    #[arg(long, alias = "products", value_enum)]
    matmul_dtype: Option<MatmulDtypeArg>,
}

/// Values of `--matmul-dtype`.
#[derive(Clone, Copy, clap::ValueEnum)]
enum MatmulDtypeArg {
    F32,
    Bf16,
    Auto,
    Stored,
}

impl MatmulDtypeArg {
    /// The dtype on this device.
    fn dtype(self, device: &Device) -> MatmulDtype {
        match self {
            Self::F32 => MatmulDtype::F32,
            Self::Bf16 => MatmulDtype::Bf16,
            Self::Auto => MatmulDtype::fastest(device),
            Self::Stored => MatmulDtype::Stored,
        }
    }
}

impl DeviceArg {
    /// Opens the requested device; reports which one `auto` picked.
    fn open(&self) -> Result<Device> {
        let name = self.device.as_str();
        let (device, words) = dnd_model::device::device(name)?;
        // With only one device to pick, scripts get no message.
        let has_choice = dnd_model::device::DEVICE_NAMES.len() > 2;
        if name == "auto" && (has_choice || std::io::stderr().is_terminal()) {
            output::eprint_line(&format!("device: {words}"));
        }
        Ok(device)
    }
}

impl Compute {
    /// Opens the requested device.
    fn device(&self) -> Result<Device> {
        self.device.open()
    }

    /// Loads the base model at `path`, else the one in the cache, to answer many prompts at once
    /// or to train.
    fn open_base(&self, path: Option<&Path>, device: &Device) -> Result<Base> {
        self.open_base_for(path, device, MatmulDtype::F32)
    }

    /// The same to answer one prompt at a time.
    fn open_base_for_one(&self, path: Option<&Path>, device: &Device) -> Result<Base> {
        self.open_base_for(path, device, MatmulDtype::Stored)
    }

    fn open_base_for(
        &self,
        path: Option<&Path>,
        device: &Device,
        default: MatmulDtype,
    ) -> Result<Base> {
        let given = self.matmul_dtype.map(|given| given.dtype(device));
        let matmul_dtype = given.unwrap_or(default);
        let path = path.map_or_else(default_base, Path::to_owned);
        let base = Base::open(&path, matmul_dtype, device)?;
        if base.tokenizer.is_template_guessed() {
            output::eprint_line(&format!(
                "note: {} has no chat template; ChatML is used",
                path.display()
            ));
        }
        Ok(base)
    }
}

/// Seed of the task suite that is used without --tasks.
const SUITE_SEED: u64 = 0;

/// Opens the given folder of tasks, or the built-in suite, which is written to the cache on first
/// use.
fn open_tasks(
    folder: Option<&Path>,
    only: &[String],
    observer: &dyn Observer,
) -> Result<TaskFolder> {
    if let Some(folder) = folder {
        return Ok(TaskFolder::open(folder)?);
    }
    // Before a minute goes into writing the suite.
    suite::check_names(only)?;
    // Each revision of the suite has different examples.
    let name = format!("suite-{SUITE_SEED}-revision-{}", suite::REVISION);
    let cache = dnd_files::cache_folder()
        .context("cannot find the home folder: set DND_CACHE to a folder, or pass --tasks")?;
    let folder = cache.join("tasks").join(name);
    // The index is written last, so a suite that has one is complete.
    if !folder.join("index.json").exists() {
        let (train, test) = (suite::TRAIN_LINES, suite::TEST_LINES);
        suite::write(&folder, SUITE_SEED, train, test, &[], observer)?;
    }
    Ok(TaskFolder::open(&folder)?)
}

/// Reads the given bundle, or the shipped one; returns it with its path.
fn open_bundle(path: Option<&Path>) -> Result<(Bundle, String)> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => shipped_bundle().with_context(|| {
            format!("no bundle: expected {BUNDLE} here or beside the program; or pass --bundle")
        })?,
    };
    let name = path.display().to_string();
    let bundle = Bundle::read(&dnd_files::read(&path)?, &name)?;
    Ok((bundle, name))
}

/// Path of the shipped bundle: in this folder, beside the program, or where the program was built.
fn shipped_bundle() -> Option<PathBuf> {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|program| Some(program.parent()?.join(BUNDLE)));
    let built = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(BUNDLE);
    [Some(PathBuf::from(BUNDLE)), beside, Some(built)]
        .into_iter()
        .flatten()
        .find(|path| path.exists())
}
