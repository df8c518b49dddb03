//! Which methods `--suite` compares.

use crate::Method;

/// Worked examples in context.
const CONTEXT: [usize; 2] = [4, 16];
/// Lines that few-shot tuning sees.
const FEW: [usize; 5] = [1, 4, 16, 64, 256];
/// Steps of tuning on all lines.
const FULL: [usize; 2] = [75, 300];
/// Prompts to generate from, where the bundle reads as many.
const PROMPTS: [usize; 6] = [4, 8, 16, 32, 64, 128];

/// All methods that can be measured with these inputs: a collection or none, and a bundle that
/// reads this many prompts or none. Adapters in folders come besides.
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
        methods.extend([Method::Generated, Method::Shuffled, Method::Random]);
        // More prompts than the bundle reads would be left out.
        let counts = PROMPTS.into_iter().filter(|count| *count <= most);
        methods.extend(counts.map(Method::GeneratedFrom));
    }
    methods.extend(FEW.map(Method::Few));
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
