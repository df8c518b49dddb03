//! Bootstrap confidence intervals (Efron, 1979) of mean scores.

/// Number of bootstrap resamples.
pub const RESAMPLES: usize = 2000;

/// A mean with its 95 % bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The mean over tasks of the mean over each task's lines.
///
/// Lines are resampled within each task and the tasks are fixed, so the interval is about these
/// tasks, not about tasks in general. For differences of two methods on the same lines, it is
/// the interval of the paired difference. `None` if there are no lines.
pub fn estimate(tasks: &[&[f64]], seed: u64) -> Option<Estimate> {
    let tasks: Vec<&[f64]> = tasks.iter().copied().filter(|t| !t.is_empty()).collect();
    if tasks.is_empty() {
        return None;
    }
    let mean_of = |sums: &mut dyn Iterator<Item = f64>| sums.sum::<f64>() / tasks.len() as f64;
    let mean = mean_of(
        &mut tasks
            .iter()
            .map(|lines| lines.iter().sum::<f64>() / lines.len() as f64),
    );
    let mut random = SplitMix(seed);
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| mean_of(&mut tasks.iter().map(|lines| resampled(lines, &mut random))))
        .collect();
    means.sort_by(f64::total_cmp);
    let last = (RESAMPLES - 1) as f64;
    Some(Estimate {
        mean,
        low: means[(0.025 * last).floor() as usize],
        high: means[(0.975 * last).ceil() as usize],
    })
}

/// Mean of a resample: as many lines as in the original, drawn with replacement.
fn resampled(lines: &[f64], random: &mut SplitMix) -> f64 {
    let sum: f64 = (0..lines.len())
        .map(|_| lines[random.below(lines.len())])
        .sum();
    sum / lines.len() as f64
}

/// SplitMix64 (Steele et al., 2014). The draws do not depend on the machine or on library
/// versions, so reports are reproducible.
struct SplitMix(u64);

impl SplitMix {
    /// A number in `0..count`.
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (((bits >> 32) * count as u64) >> 32) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `right` of `n` lines.
    fn lines(right: usize, n: usize) -> Vec<f64> {
        (0..n).map(|i| if i < right { 1.0 } else { 0.0 }).collect()
    }

    #[test]
    fn lines_that_agree_leave_no_doubt() {
        let certain = estimate(&[&lines(20, 20)], 1).unwrap();
        assert_eq!((certain.mean, certain.low, certain.high), (1.0, 1.0, 1.0));
    }

    #[test]
    fn no_line_has_no_mean() {
        assert_eq!(estimate(&[], 0), None);
        assert_eq!(estimate(&[&[]], 0), None);
    }

    /// The normal approximation of a proportion p over n lines is p +- 1.96 sqrt(p (1 - p) / n).
    #[test]
    fn a_share_has_its_binomial_interval() {
        let share = estimate(&[&lines(100, 200)], 3).unwrap();
        let half = 1.96 * (0.25f64 / 200.0).sqrt();
        assert_eq!(share.mean, 0.5);
        assert!((share.low - (0.5 - half)).abs() < 0.01, "{share:?}");
        assert!((share.high - (0.5 + half)).abs() < 0.01, "{share:?}");
    }

    /// Averaging four tasks of equal variance halves the standard deviation.
    #[test]
    fn tasks_narrow_the_interval_of_their_mean() {
        let task = lines(50, 100);
        let one = estimate(&[&task], 5).unwrap();
        let four = estimate(&[&task, &task, &task, &task], 5).unwrap();
        let ratio = (one.high - one.low) / (four.high - four.low);
        assert!((ratio - 2.0).abs() < 0.25, "{ratio}");
    }

    #[test]
    fn tasks_count_the_same_whatever_their_lines() {
        let (few, many) = (lines(10, 10), lines(0, 90));
        assert_eq!(estimate(&[&few, &many], 0).unwrap().mean, 0.5);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let task = lines(37, 90);
        assert_eq!(estimate(&[&task], 7), estimate(&[&task], 7));
    }
}
