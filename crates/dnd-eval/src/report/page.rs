//! The parts of the page and its template. The HTML is self-contained.

use minijinja::{AutoEscape, Environment, context};
use serde::Serialize;

use super::RenderError;
use crate::{Estimate, percent};

/// A part of the page.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Block {
    /// Plain text.
    Paragraph { text: String },
    /// A remark on missing data or on how something was measured.
    Note { text: String },
    /// A picture with its title.
    Figure { title: String, svg: String },
    /// A table. The first cell of each row is its name.
    Table {
        headings: Vec<String>,
        rows: Vec<Vec<String>>,
    },
}

impl Block {
    pub(super) fn paragraph(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::Paragraph { text }
    }

    pub(super) fn note(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::Note { text }
    }

    pub(super) fn figure(title: &str, svg: String) -> Self {
        let title = title.to_owned();
        Self::Figure { title, svg }
    }

    pub(super) fn table(headings: &[&str], rows: Vec<Vec<String>>) -> Self {
        let headings = headings.iter().map(|&heading| heading.to_owned());
        Self::Table {
            headings: headings.collect(),
            rows,
        }
    }
}

/// Blocks under a heading, then figures side by side.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) blocks: Vec<Block>,
    pub(super) grid: Vec<Block>,
}

impl Section {
    /// A section without a grid.
    pub(super) fn new(title: &'static str, blocks: Vec<Block>) -> Self {
        Self {
            title,
            blocks,
            grid: Vec::new(),
        }
    }
}

/// Renders the page.
pub(super) fn page(introduction: &Block, sections: &[Section]) -> Result<String, RenderError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let page = environment.render_str(
        include_str!("page.html"),
        context! { introduction, sections },
    );
    Ok(page? + "\n")
}

/// An estimate as a table cell; empty for `None`.
pub(super) fn cell(estimate: Option<Estimate>) -> String {
    estimate.map(percent).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_table(name: &str) -> String {
        let table = Block::table(&["a & b"], vec![vec![name.to_owned()]]);
        let sections = [Section::new("title", vec![table])];
        page(&Block::paragraph(""), &sections).unwrap()
    }

    #[test]
    fn names_cannot_become_markup() {
        let text = with_table("<script>");
        assert!(text.contains("<th>a &amp; b</th>"), "{text}");
        assert!(text.contains("<td>&lt;script&gt;</td>"), "{text}");
    }

    #[test]
    fn the_generated_row_stands_out() {
        assert!(with_table("base").contains("<tr><td>base"));
        let text = with_table("generated");
        assert!(
            text.contains("<tr class=\"generated\"><td>generated"),
            "{text}"
        );
    }
}
