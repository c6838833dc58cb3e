//! `strata doctor`: what a report of a defect needs to say of this program and this machine.

use super::args::DoctorArgs;
use super::output;
use strata_app::store;
use strata_system_report::SystemReport;

/// Prints the report.
pub fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    // Only a window knows OpenGL: its About box shows it.
    let report = SystemReport::collect(store::folder(), None);
    if args.json {
        return output::print_json(&report);
    }
    output::print(&report.text(&[]))
}
