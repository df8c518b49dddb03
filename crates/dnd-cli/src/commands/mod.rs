//! One file a command: its arguments, and how its results are shown.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use dnd_adapter::Bundle;
use dnd_files::Observer;
use dnd_model::files::{Base, default_base};
use dnd_model::language::MatmulDtype;
use dnd_tasks::TaskFolder;
use dnd_tasks::suite;

use crate::output;

pub mod collect;
pub mod complete;
pub mod eval;
pub mod generate;
pub mod inspect;
pub mod report;
pub mod serve;
pub mod tasks;
pub mod train;

/// The shipped bundle, from the root of the repository.
const BUNDLE: &str = "assets/smollm2-135m.safetensors";

/// Where and how models are computed: flags of all commands.
#[derive(clap::Args)]
pub struct Compute {
    /// Device to compute on; `auto` takes the fastest kind in this build
    #[arg(long, global = true, default_value = "auto", value_parser = clap::builder::PossibleValuesParser::new(dnd_model::device::DEVICE_NAMES))]
    device: String,

    /// Number format in which a base model's frozen weights are multiplied; `auto` takes bf16 on
    /// CPUs with Intel AMX, where it is faster
    #[arg(long, alias = "products", global = true, value_enum, default_value_t = NamedDtype::F32)]
    matmul_dtype: NamedDtype,
}

/// Values of `--matmul-dtype`.
#[derive(Clone, Copy, clap::ValueEnum)]
enum NamedDtype {
    F32,
    Bf16,
    Auto,
}

impl Compute {
    /// The device that was asked for; says which one `auto` took.
    fn device(&self) -> Result<Device> {
        let name = self.device.as_str();
        let (device, words) = dnd_model::device::device(name)?;
        // Where the CPU is the only kind there is nothing that a script would want to hear.
        let has_choice = dnd_model::device::DEVICE_NAMES.len() > 2;
        if name == "auto" && (has_choice || std::io::stderr().is_terminal()) {
            output::complain(&format!("device: {words}"));
        }
        Ok(device)
    }

    /// Loads the base model at `path`, else the one in the cache.
    fn open_base(&self, path: Option<&Path>, device: &Device) -> Result<Base> {
        let matmul_dtype = match self.matmul_dtype {
            NamedDtype::F32 => MatmulDtype::F32,
            NamedDtype::Bf16 => MatmulDtype::Bf16,
            NamedDtype::Auto => MatmulDtype::fastest(device),
        };
        let path = path.map_or_else(default_base, Path::to_owned);
        Ok(Base::open(&path, matmul_dtype, device)?)
    }
}

/// The seed of the suite that stands in for a folder of tasks.
const SUITE_SEED: u64 = 0;

/// The folder of tasks that was asked for, else our own suite, written into the cache the first time.
fn open_tasks(folder: Option<&Path>, observer: &dyn Observer) -> Result<TaskFolder> {
    if let Some(folder) = folder {
        return Ok(TaskFolder::open(folder)?);
    }
    // Tasks of another revision have other lines.
    let name = format!("suite-{SUITE_SEED}-revision-{}", suite::REVISION);
    let cache = dnd_files::cache_folder().context(
        "no home folder is known: set DND_CACHE to a folder, or name a folder by --tasks",
    )?;
    let folder = cache.join("tasks").join(name);
    // The index is written last, so tasks that have one are whole.
    if !folder.join("index.json").exists() {
        let (train, test) = (suite::TRAIN_LINES, suite::TEST_LINES);
        suite::write(&folder, SUITE_SEED, train, test, &[], observer)?;
    }
    Ok(TaskFolder::open(&folder)?)
}

/// Reads the bundle that was asked for, else the shipped one.
fn open_bundle(path: Option<&Path>) -> Result<(Bundle, String)> {
    let path = match path {
        Some(path) => path.to_owned(),
        None => shipped_bundle().with_context(|| {
            format!("no bundle: expected {BUNDLE} here or beside the program; name one by --bundle")
        })?,
    };
    let name = path.display().to_string();
    let bundle = Bundle::read(&dnd_files::read(&path)?, &name)?;
    Ok((bundle, name))
}

/// The shipped bundle: in this folder, beside the program, or where the program was built.
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
