// Epilogue of a linear layer: GELU (Hendrycks and Gimpel, arXiv 1606.08415), with an
// approximation of erf accurate to 2e-7 (Abramowitz and Stegun, 7.1.26).

fn epilogue(numbers: vec4f, place: u32) -> vec4f {
    // All epilogues bind the same buffers.
    _ = residual[0];
    let x = numbers * 0.70710678;
    let size = abs(x);
    let t = 1.0 / (1.0 + 0.3275911 * size);
    let sum =
        ((((1.0614054 * t - 1.4531520) * t + 1.4214138) * t - 0.28449674) * t + 0.25482960) * t;
    return 0.5 * numbers * (1.0 + sign(x) * (1.0 - sum * exp(-size * size)));
}
