//! The page around the sections: HTML that needs nothing besides itself.

use crate::{Estimate, percent};

/// Follows the reader's choice of light or dark, and lets pictures take the colour of the text.
const STYLE: &str = "\
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem;
  background: light-dark(#ffffff, #16181c); color: light-dark(#1b1f24, #dfe3e8); }
h1, h2 { line-height: 1.2; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; }
th, td { padding: 0.2rem 0.6rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid light-dark(#d5d9de, #383d44); }
th:first-child, td:first-child { text-align: left; }
tr.generated { font-weight: 600; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1rem; }
figure { margin: 0; }
figcaption { font-weight: 600; }
svg { max-width: 100%; height: auto; }
svg text { fill: currentColor; }
.note { color: light-dark(#59636e, #9aa4af); }
";

/// The page with these sections.
pub(super) fn page(sections: &[String]) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>What generated adapters are worth</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>What generated adapters are worth</h1>\n{}</body>\n</html>\n",
        sections.concat()
    )
}

/// A section with a heading.
pub(super) fn section(title: &str, body: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{body}</section>\n", escape(title))
}

/// A paragraph of plain text.
pub(super) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

/// A paragraph that says what is missing or how something was measured.
pub(super) fn note(text: &str) -> String {
    format!("<p class=\"note\">{}</p>\n", escape(text))
}

/// A picture with its title.
pub(super) fn figure(title: &str, svg: &str) -> String {
    let title = escape(title);
    format!("<figure>\n<figcaption>{title}</figcaption>\n{svg}</figure>\n")
}

/// A table: a heading a column, and rows of which the first cell is the name.
pub(super) fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!(
        "<div class=\"wide\">\n<table>\n<thead>\n<tr>{}</tr>\n</thead>\n<tbody>\n",
        cells("th", headings.iter().copied())
    );
    for row in rows {
        let class = match row.first().map(String::as_str) {
            Some("generated") => " class=\"generated\"",
            _ => "",
        };
        let row = cells("td", row.iter().map(String::as_str));
        text.push_str(&format!("<tr{class}>{row}</tr>\n"));
    }
    text + "</tbody>\n</table>\n</div>\n"
}

/// Cells of one kind.
fn cells<'a>(tag: &str, texts: impl Iterator<Item = &'a str>) -> String {
    let cells = texts.map(|text| format!("<{tag}>{}</{tag}>", escape(text)));
    cells.collect()
}

/// An estimate in a cell; empty for none.
pub(super) fn cell(estimate: Option<Estimate>) -> String {
    estimate.map(percent).unwrap_or_default()
}

/// Text with the characters that HTML reads as its own spelled out.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        let text = table(&["a & b"], &[vec!["<script>".to_owned()]]);
        assert!(text.contains("<th>a &amp; b</th>"), "{text}");
        assert!(text.contains("<td>&lt;script&gt;</td>"), "{text}");
    }

    #[test]
    fn the_generated_row_stands_out() {
        let rows = [vec!["base".to_owned()], vec!["generated".to_owned()]];
        let text = table(&["method"], &rows);
        assert!(text.contains("<tr><td>base"), "{text}");
        assert!(
            text.contains("<tr class=\"generated\"><td>generated"),
            "{text}"
        );
    }
}
