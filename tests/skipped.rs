//! Prints the tests that this run skipped because real datasets are missing. Cargo runs the test programs in the
//! order of their names, so this is the last one.

// The folders of the other tests are not used here.
#[allow(dead_code, clippy::unwrap_used)]
#[path = "../src/testkit/folders.rs"]
mod folders;

fn main() {
    // Whoever asks for a list of tests gets an empty one.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let skipped = folders::take_skipped();
    if !skipped.is_empty() {
        println!(
            "\nskipped for missing data: {} tests (STRATA_TEST_DATA names the folder of datasets): {}\n",
            skipped.len(),
            skipped.join(", ")
        );
    }
}
