//! What the operating system knows of the machine. Whatever it does not provide is left out of the report.

use std::process::Command;
use strata_core::system_memory;

/// The processor's name.
pub(super) fn processor_name() -> Option<String> {
    if cfg!(target_os = "linux") {
        processor_of(&read("/proc/cpuinfo")?)
    } else if cfg!(target_os = "macos") {
        output_of("sysctl", &["-n", "machdep.cpu.brand_string"])
    } else {
        std::env::var("PROCESSOR_IDENTIFIER").ok()
    }
}

/// Bytes of memory in all.
pub(super) fn memory_bytes() -> Option<u64> {
    if cfg!(target_os = "linux") {
        system_memory::total_bytes()
    } else if cfg!(target_os = "macos") {
        output_of("sysctl", &["-n", "hw.memsize"])?.parse().ok()
    } else {
        None
    }
}

/// The system's name with its version.
pub(super) fn system_name() -> Option<String> {
    if cfg!(target_os = "linux") {
        system_of(&read("/etc/os-release").or_else(|| read("/usr/lib/os-release"))?)
    } else if cfg!(target_os = "macos") {
        output_of("sw_vers", &["-productVersion"]).map(|version| format!("macOS {version}"))
    } else {
        output_of("cmd", &["/C", "ver"])
    }
}

/// The kernel's version.
pub(super) fn kernel_version() -> Option<String> {
    if cfg!(target_os = "linux") {
        read("/proc/sys/kernel/osrelease").map(|text| text.trim().to_owned())
    } else if cfg!(unix) {
        output_of("uname", &["-r"])
    } else {
        None
    }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn output_of(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// On x86 every core has its `model name`; elsewhere there may be none.
fn processor_of(cpuinfo: &str) -> Option<String> {
    let named = |name: &str| {
        let mut lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(key, _)| key.trim() == name);
        found.map(|(_, value)| value.trim().to_owned())
    };
    named("model name")
        .or_else(|| named("Model"))
        .or_else(|| named("Hardware"))
}

fn system_of(os_release: &str) -> Option<String> {
    let mut lines = os_release.lines();
    let name = lines.find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches(['"', '\'']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_read() {
        let cpuinfo = "processor\t: 0\nmodel name\t: A 9000 @ 2.0GHz\n\nprocessor\t: 1\n";
        assert_eq!(processor_of(cpuinfo).as_deref(), Some("A 9000 @ 2.0GHz"));
        let board = "processor\t: 0\nBogoMIPS\t: 100\n\nModel\t\t: A Board 5\n";
        assert_eq!(processor_of(board).as_deref(), Some("A Board 5"));
        assert_eq!(processor_of("processor : 0"), None);
        let release = "ID=x\nPRETTY_NAME=\"Some Linux 12 (twelve)\"\n";
        assert_eq!(
            system_of(release).as_deref(),
            Some("Some Linux 12 (twelve)")
        );
    }

    #[test]
    fn a_program_that_is_not_there_tells_nothing() {
        assert_eq!(output_of("strata-has-no-such-program", &[]), None);
    }
}
