//! Prints the tests that this run skipped because real datasets or other programs are missing. Cargo runs the test
//! programs in the order of their packages' names, so this is the last one.

use strata_testkit::folders;

fn main() {
    // Whoever asks for a list of tests gets an empty one.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let skipped = folders::take_skipped();
    if !skipped.is_empty() {
        println!(
            "\nskipped for what is missing here: {} tests (STRATA_TEST_DATA names the folder of datasets, STRATA_PYTHON a \
             Python with PyTorch, Keras and ONNX Runtime): {}\n",
            skipped.len(),
            skipped.join(", ")
        );
    }
}
