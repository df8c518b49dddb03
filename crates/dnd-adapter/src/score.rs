//! Scores of answers to lines whose answers are known.

/// Whether an answer is right: the model ended its turn, and the text is the expected one apart
/// from leading and trailing white space, as in `dnd eval`.
pub fn is_right(text: &str, ended: bool, expected: &str) -> bool {
    ended && text.trim() == expected.trim()
}

/// The 95 % interval of a share (Wilson, 1927), in percent.
pub fn interval(right: usize, total: usize) -> [f64; 2] {
    const Z: f64 = 1.96;
    if total == 0 {
        return [0.0, 100.0];
    }
    let n = total as f64;
    let share = right as f64 / n;
    let middle = share + Z * Z / (2.0 * n);
    let reach = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let percent = |end: f64| 100.0 * (end / (1.0 + Z * Z / n)).clamp(0.0, 1.0);
    [percent(middle - reach), percent(middle + reach)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_right_when_it_ends_and_is_the_same() {
        assert!(is_right(" cold\n", true, "cold"));
        assert!(!is_right("cold", false, "cold"));
        assert!(!is_right("Cold", true, "cold"));
    }

    /// Against the values in Brown, Cai and DasGupta, Interval Estimation for a Binomial
    /// Proportion (2001), and by hand for the ends.
    #[test]
    fn intervals_are_those_of_wilson() {
        let [low, high] = interval(5, 10);
        assert!(
            (low - 23.66).abs() < 0.05 && (high - 76.34).abs() < 0.05,
            "{low} {high}"
        );
        let [low, high] = interval(0, 10);
        assert!(low == 0.0 && (high - 27.75).abs() < 0.05, "{low} {high}");
        assert_eq!(interval(0, 0), [0.0, 100.0]);
    }
}
