//! Strata: arguments to window or terminal.

use std::process::ExitCode;

fn main() -> ExitCode {
    strata::cli::run()
}
