//! Checks of single settings.

use crate::Error;

/// Checks a setting that has to be above zero.
pub(crate) fn positive(field: &str, value: f64) -> Result<(), Error> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::argument(field, "a number above 0", value))
}

/// Checks a setting that may be zero.
pub(crate) fn not_negative(field: &str, value: f64) -> Result<(), Error> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::argument(field, "a number of at least 0", value))
}
