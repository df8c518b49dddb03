//! The cache folder, shared by `dnd` and `cargo xtask`.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use etcetera::base_strategy::Xdg;

/// The folder for models, tools and build output: `DND_CACHE`, else `XDG_CACHE_HOME/dnd`, else
/// `~/.cache/dnd`. `xtask/launch` follows the same rule. `None` when no home folder is known.
pub fn cache_folder() -> Option<PathBuf> {
    let own = std::env::var_os("DND_CACHE").filter(|value| !value.is_empty());
    own.map(PathBuf::from)
        .or_else(|| Some(Xdg::new().ok()?.cache_dir().join("dnd")))
}
