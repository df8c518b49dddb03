//! The heat map of an adapter: how much it changes each module.

use leptos::prelude::*;

use dnd_web::protocol::HeatMap;

/// The table: rows are layers, columns are projections, color is size.
pub fn heat_map(map: HeatMap) -> impl IntoView {
    let largest = map
        .layers
        .iter()
        .flatten()
        .flatten()
        .fold(0.0_f32, |largest, &norm| largest.max(norm));
    let heads = map.projections.iter().map(|name| head(name)).collect_view();
    let rows = map
        .layers
        .into_iter()
        .enumerate()
        .map(|(layer, norms)| {
            let cells = norms
                .into_iter()
                .zip(&map.projections)
                .map(|(norm, projection)| cell(layer, projection, norm, largest))
                .collect_view();
            view! {
                <tr>
                    <th scope="row">{layer}</th>
                    {cells}
                </tr>
            }
        })
        .collect_view();
    view! {
        <p class="help">
            "How much the adapter changes each part of the model. Rows are layers, columns are \
            types of weight matrices. A stronger color means a larger change; the largest is "
            {format!("{largest:.4}")} "."
        </p>
        <table class="heat">
            <caption>"Size of each update"</caption>
            <thead>
                <tr>
                    <th scope="col">"Layer"</th>
                    {heads}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

/// The heading of a column, short enough for a phone.
fn head(projection: &str) -> impl IntoView + use<> {
    let (name, title) = (projection.to_owned(), projection.to_owned());
    let short = projection.strip_suffix("_proj").unwrap_or(projection);
    view! {
        <th scope="col" aria-label=name>
            <abbr title=title>{short.to_owned()}</abbr>
        </th>
    }
}

fn cell(layer: usize, projection: &str, norm: Option<f32>, largest: f32) -> impl IntoView + use<> {
    let text = norm.map_or_else(|| "none".to_owned(), |norm| format!("{norm:.4}"));
    let share = match norm {
        Some(norm) if largest > 0.0 => 100.0 * norm / largest,
        _ => 0.0,
    };
    let title = format!("Layer {layer}, {projection}: {text}");
    view! {
        <td title=title style=("--heat", format!("{share:.0}%"))>
            <span class="unseen">{text}</span>
        </td>
    }
}
