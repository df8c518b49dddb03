//! What the basis head mixes by: the directions in which the training tasks' prompts differ.

use dnd_model::Generator;
use nalgebra::{DMatrix, SymmetricEigen};

/// Directions along which embeddings hardly differ are left out: this part of the largest
/// deviation.
const SMALLEST_PART: f32 = 1e-4;

/// Gives the basis head of a new generator, if it has one, the mean of the tasks' embeddings and
/// their principal directions, each divided by the deviation along it (whitening), so that siblings
/// are told apart as well as families. Directions that the embeddings do not have are zero.
pub(crate) fn set_directions(generator: &mut Generator, tasks: &[(String, Vec<f32>)]) {
    let Some(basis) = generator.basis_mut() else {
        return;
    };
    let [width, count] = basis.directions.dims();
    let embeddings: Vec<Vec<f32>> = tasks
        .iter()
        .map(|(_, embedding)| embedding.clone())
        .collect();
    let (centre, directions) = whitening(&embeddings, width, count);
    basis.set_directions(centre, directions);
}

/// Mean (C) and whitened principal directions (C, K), row-major.
fn whitening(embeddings: &[Vec<f32>], width: usize, count: usize) -> (Vec<f32>, Vec<f32>) {
    let rows = DMatrix::from_fn(embeddings.len(), width, |row, column| {
        embeddings[row][column]
    });
    let centre = rows.row_mean();
    let mut centred = rows;
    for mut row in centred.row_iter_mut() {
        row -= &centre;
    }
    let covariance = centred.tr_mul(&centred) / embeddings.len().max(1) as f32;
    let eigen = SymmetricEigen::new(covariance);
    let deviation = |index: usize| eigen.eigenvalues[index].max(0.0).sqrt();
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&a, &b| deviation(b).total_cmp(&deviation(a)));
    let largest = order.first().map_or(0.0, |&index| deviation(index));
    let mut directions = vec![0.0; width * count];
    for (column, &index) in order.iter().take(count).enumerate() {
        if deviation(index) <= SMALLEST_PART * largest {
            continue;
        }
        for row in 0..width {
            directions[row * count + column] = eigen.eigenvectors[(row, index)] / deviation(index);
        }
    }
    (centre.iter().copied().collect(), directions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_have_no_mean_and_equal_deviations() {
        // Differences along the first axis are ten times those along the second; the third is
        // constant.
        let embeddings: Vec<Vec<f32>> = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)]
            .iter()
            .map(|(a, b)| vec![5.0 + 10.0 * a, 3.0 + b, 2.0])
            .collect();
        let (centre, directions) = whitening(&embeddings, 3, 3);
        assert_eq!(centre, [5.0, 3.0, 2.0]);
        let coefficient = |embedding: &[f32], column: usize| -> f32 {
            let parts =
                (0..3).map(|row| (embedding[row] - centre[row]) * directions[row * 3 + column]);
            parts.sum()
        };
        for column in 0..3 {
            let values: Vec<f32> = embeddings
                .iter()
                .map(|embedding| coefficient(embedding, column))
                .collect();
            let squares: f32 = values.iter().map(|value| value * value).sum();
            let expected = if column < 2 { 4.0 } else { 0.0 };
            assert!((squares - expected).abs() < 1e-4, "{column}: {values:?}");
            assert!(
                values.iter().sum::<f32>().abs() < 1e-4,
                "{column}: {values:?}"
            );
        }
    }
}
