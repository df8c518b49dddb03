//! The JavaScript that wasm-bindgen writes, made smaller.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// The files that it writes.
const SCRIPTS: [&str; 2] = ["page.js", "worker.js"];

/// Leaves out what no browser reads.
pub fn write(folder: &Path) -> Result<()> {
    for name in SCRIPTS {
        let path = folder.join(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        fs::write(&path, compacted(&text))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// The lines without what indents them, and without comments that begin a line. No string of wasm-bindgen goes over lines.
fn compacted(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    let mut in_comment = false;
    for line in text.lines().map(str::trim) {
        let code = if in_comment || line.starts_with("/*") {
            let end = line.split_once("*/");
            in_comment = end.is_none();
            end.map_or("", |(_, rest)| rest.trim_start())
        } else {
            line
        };
        if !code.is_empty() && !code.starts_with("//") {
            lines.push_str(code);
            lines.push('\n');
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stays() {
        let text = "/**\n * @returns {number}\n */\nexport function a() {\n    // why\n    return 2\n        * 3; // 6\n\n}\n/* pure */ a();\n";
        let found = compacted(text);
        assert_eq!(
            found,
            "export function a() {\nreturn 2\n* 3; // 6\n}\na();\n"
        );
        assert_eq!(compacted(&found), found);
    }
}
