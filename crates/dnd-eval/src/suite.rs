//! The methods of `dnd eval --suite`.

use crate::{Method, TuneStart};

/// Numbers of in-context examples.
const CONTEXT: [usize; 2] = [4, 16];
/// Numbers of lines for few-shot tuning.
const FEW: [usize; 5] = [1, 4, 16, 64, 256];
/// Steps of tuning on all lines.
const FULL: [usize; 2] = [75, 300];
/// Numbers of prompts to generate from, up to the limit of the bundle.
const PROMPTS: [usize; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// All methods that can be measured with these inputs. `bundle_prompts` is the maximum number of
/// prompts that the bundle reads, or `None` without a bundle. Methods with adapter folders are
/// not included.
pub fn suite(has_collection: bool, bundle_prompts: Option<usize>) -> Vec<Method> {
    let mut methods = vec![Method::Majority, Method::Base];
    methods.extend(CONTEXT.map(Method::Context));
    if has_collection {
        methods.extend([
            Method::Mean,
            Method::Best,
            Method::Nearest,
            Method::Similar,
            Method::Average,
        ]);
    }
    if let Some(most) = bundle_prompts {
        methods.extend([Method::Generated, Method::Described]);
        methods.extend([Method::Shuffled, Method::Random]);
        // The bundle ignores prompts beyond its limit.
        let counts = PROMPTS.into_iter().filter(|count| *count <= most);
        methods.extend(counts.map(Method::GeneratedFrom));
    }
    methods.extend(FEW.map(|count| Method::Few(count, TuneStart::Initial)));
    if bundle_prompts.is_some() {
        methods.extend(FEW.map(|count| Method::Few(count, TuneStart::Generated)));
    }
    methods.extend(FULL.map(Method::Full));
    methods
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_decide_what_is_compared() {
        let names = |collection, prompts| -> Vec<String> {
            let methods = suite(collection, prompts);
            methods.iter().map(ToString::to_string).collect()
        };
        let all = names(true, Some(32));
        assert!(all.contains(&"best".to_owned()) && all.contains(&"generated:N=32".to_owned()));
        assert!(!all.contains(&"generated:N=64".to_owned()));
        let least = suite(false, None);
        assert!(
            !least
                .iter()
                .any(|method| method.needs_collection() || method.needs_bundle())
        );
        assert!(names(false, None).contains(&"full:300".to_owned()));
    }
}
