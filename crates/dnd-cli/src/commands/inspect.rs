//! `dnd inspect`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use dnd_adapter::gguf::Gguf;
use dnd_adapter::{Adapter, Bundle, Layout};
use dnd_model::GeneratorConfig;
use dnd_train::collect::Collection;

use crate::output;

/// Show what is in an adapter, a bundle, a collection, a GGUF file or a model's folder.
#[derive(clap::Args)]
pub struct Arguments {
    /// PEFT, collection or model folder, bundle (.safetensors) or GGUF file
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<()> {
    let mut path = arguments.path.as_path();
    if path
        .file_name()
        .is_some_and(|name| name == dnd_files::PEFT_MODEL)
    {
        path = path.parent().unwrap_or(path);
    }
    let text = if path.join("collection.json").exists() {
        collection(path)?
    } else if path.join("config.json").exists() && !path.join(dnd_files::PEFT_CONFIG).exists() {
        model(path)?
    } else if path.is_dir() || path.as_os_str().is_empty() {
        adapter(&dnd_files::read_peft(path)?)
    } else {
        let bytes = dnd_model::files::map(path)?;
        let name = path.display().to_string();
        if bytes.starts_with(b"GGUF") {
            gguf(&Gguf::parse(&bytes, &name)?)
        } else if bytes.starts_with(b"PK") {
            bail!("{name}: expected a folder or model file, found a zip archive; unpack it first");
        } else if path
            .extension()
            .is_some_and(|extension| extension == "gguf")
        {
            bail!("{name}: expected the magic bytes GGUF, found others");
        } else {
            bundle(&Bundle::read(&bytes, &name)?)
        }
    };
    output::print(&text)
}

/// The dimensions of a model's folder.
fn model(folder: &Path) -> Result<String> {
    let found = dnd_model::files::base_dimensions(folder)?;
    Ok(format!(
        "model\narchitecture  {}\nlayers        {}\nhidden size   {}\nfeed-forward  {}\n\
         heads         {}, {} of keys and values, {} wide\n",
        found.architecture,
        found.num_layers,
        found.hidden_size,
        found.intermediate_size,
        found.num_attention_heads,
        found.num_key_value_heads,
        found.head_dim,
    ))
}

/// Describes what a layout covers.
fn layout(layout: &Layout) -> String {
    let targets: Vec<&str> = layout
        .targets()
        .iter()
        .map(|target| target.name())
        .collect();
    let rank = layout
        .uniform_rank()
        .map_or_else(|_| "differs by module".to_owned(), |rank| rank.to_string());
    let first = layout.modules.first();
    let alpha = first.map_or(0.0, |module| module.alpha);
    let scaling = first.map_or(0.0, |module| module.scaling(layout.use_rslora));
    let shapes: String = layout
        .modules
        .iter()
        .filter(|module| first.is_some_and(|first| first.layer == module.layer))
        .map(|module| {
            format!(
                "            {:9} A ({}, {}) B ({}, {})\n",
                module.projection.name(),
                module.rank,
                module.in_features,
                module.out_features,
                module.rank
            )
        })
        .collect();
    format!(
        "base model  {}\nrank        {rank}\nalpha       {alpha}, scaling {scaling}\n\
         modules     {} in {} layers: {}\nparameters  {}\nshapes\n{shapes}",
        match layout.base_model.as_str() {
            "" => "not named",
            name => name,
        },
        layout.modules.len(),
        layout.num_layers(),
        targets.join(" "),
        layout.parameter_count(),
    )
}

/// An adapter's layout, and a table of update norms, layers by projections.
fn adapter(adapter: &Adapter) -> String {
    let targets = adapter.layout.targets();
    let mut text = format!(
        "adapter\n{}largest     {:.4}\n\nnorm of the update (scaling * B A)\nlayer",
        layout(&adapter.layout),
        adapter.max_abs(),
    );
    for target in &targets {
        text.push_str(&format!(" {:>9}", target.name()));
    }
    let mut line = None;
    for (index, module) in adapter.layout.modules.iter().enumerate() {
        if line != Some(module.layer) {
            line = Some(module.layer);
            text.push_str(&format!("\n{:5}", module.layer));
        }
        text.push_str(&format!(" {:9.4}", adapter.update_norm(index)));
    }
    text.push('\n');
    text
}

fn bundle(bundle: &Bundle) -> String {
    let header = &bundle.header;
    let mut text = format!(
        "bundle\n{}encoder     {} ({})\ncondition   {} prompts of {} tokens\n",
        layout(&header.layout),
        header.encoder.name,
        &header.encoder.sha256.get(..12).unwrap_or_default(),
        header.prompts,
        header.tokens_per_prompt,
    );
    match serde_json::from_value::<GeneratorConfig>(header.generator.clone()) {
        Ok(config) => {
            let _ = writeln!(
                text,
                "generator   {} parameters, kernel {}, prompt kernel {}",
                config.parameter_count(),
                config.kernel_size,
                config.prompt_kernel_size
            );
            for features in &config.features {
                let _ = writeln!(text, "            {features:?}");
            }
        }
        Err(error) => {
            let _ = writeln!(text, "generator   unreadable: {error}");
        }
    }
    text.push_str("\ntensors\n");
    for (name, tensor) in &bundle.tensors {
        let _ = writeln!(text, "{name:40} {} {:?}", tensor.storage, tensor.shape);
    }
    let _ = writeln!(text, "\nprovenance\n{:#}", header.provenance);
    text
}

fn collection(path: &Path) -> Result<String> {
    let collection = Collection::open(path)?;
    let mut text = format!("collection\n{}\n", layout(&collection.header.layout));
    let _ = writeln!(
        text,
        "{:24} {:>9} {:>8} {:>8}",
        "task", "snapshots", "loss", "seconds"
    );
    for manifest in collection.finished()? {
        let _ = writeln!(
            text,
            "{:24} {:>9} {:>8.3} {:>8.0}",
            manifest.task, manifest.snapshots, manifest.final_loss, manifest.seconds
        );
    }
    Ok(text)
}

fn gguf(gguf: &Gguf) -> String {
    let mut text = format!("GGUF version {}\n\nmetadata\n", gguf.version());
    for (key, value) in gguf.metadata() {
        let _ = writeln!(text, "{key:44} {value}");
    }
    text.push_str("\ntensors\n");
    for tensor in gguf.tensors() {
        let _ = writeln!(
            text,
            "{:32} {:6} {:?}",
            tensor.name,
            tensor.type_name(),
            tensor.shape
        );
    }
    text
}
