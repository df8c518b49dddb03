//! Learning rates over the steps.

/// The part of the full rate at `step`, counted from zero, of `steps`: it rises linearly over the
/// first `warm_up` steps, then falls to zero along a cosine.
pub(crate) fn warm_up_then_cosine(step: usize, steps: usize, warm_up: usize) -> f64 {
    if step < warm_up {
        return (step + 1) as f64 / (warm_up + 1) as f64;
    }
    let span = steps.saturating_sub(warm_up).max(1) as f64;
    let progress = (step - warm_up) as f64 / span;
    0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_zero() {
        let rates: Vec<f64> = (0..100)
            .map(|step| warm_up_then_cosine(step, 100, 4))
            .collect();
        assert!(rates[0] < rates[3] && (rates[4] - 1.0).abs() < 1e-9);
        assert!(rates[5..].windows(2).all(|pair| pair[0] >= pair[1]));
        assert!(rates[99] < 1e-3);
    }
}
