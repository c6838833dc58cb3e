//! The memory that this process can still get: asked before much of it is taken, because an allocation that fails ends
//! the process, and no message could be given then.
//!
//! The least of three counts: what the machine has free, what the control group of the process (a container, a batch
//! system) leaves, and what the shell's limits leave (`ulimit -v`, `ulimit -d`). Linux reports all of them.

use crate::format;
use std::fs::read_to_string;
use std::path::Path;

const KIB: u64 = 1024;
/// What the program itself still needs, whatever is read.
const RESERVE: u64 = 32 << 20;

/// Fewer bytes than these are had by every system.
const LARGE: u64 = 16 << 20;

/// Bytes of memory that the machine has in all, where the system reports it.
pub fn total_bytes() -> Option<u64> {
    kib(&read_to_string("/proc/meminfo").ok()?, "MemTotal:")
}

/// Bytes that this process can still get, where the system reports it.
pub fn available_bytes() -> Option<u64> {
    let machine = read_to_string("/proc/meminfo")
        .ok()
        .and_then(|table| kib(&table, "MemAvailable:"));
    let group = read_to_string("/proc/self/cgroup").ok();
    let group = group.and_then(|groups| of_group(Path::new("/sys/fs/cgroup"), &groups));
    let limits = read_to_string("/proc/self/limits").ok();
    let used = read_to_string("/proc/self/status").ok();
    let shell = limits
        .zip(used)
        .and_then(|(limits, used)| of_limits(&limits, &used));
    [machine, group, shell].into_iter().flatten().min()
}

/// Refuses what needs more bytes than there are (unknown: everything passes).
pub fn check(bytes: u64) -> Result<(), String> {
    compared(bytes, available_bytes())
}

/// The same for what is read many times over: only a large number of bytes is compared, as asking the system takes
/// longer than reading a small file.
pub fn check_large(bytes: u64) -> Result<(), String> {
    if bytes < LARGE { Ok(()) } else { check(bytes) }
}

fn compared(bytes: u64, available: Option<u64>) -> Result<(), String> {
    match available {
        Some(free) if bytes > free.saturating_sub(RESERVE) => Err(format!(
            "it needs about {} of memory and {} are free",
            format::bytes(bytes),
            format::bytes(free)
        )),
        _ => Ok(()),
    }
}

/// `MemAvailable:   123 kB`
fn kib(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(KIB)
}

/// What the limits of the shell leave: `Max address space   8388608000   unlimited   bytes`.
fn of_limits(limits: &str, used: &str) -> Option<u64> {
    let left = |limit: &str, size: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(limit))?;
        let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(limit.saturating_sub(kib(used, size)?))
    };
    let counts = [
        left("Max address space", "VmSize:"),
        left("Max data size", "VmData:"),
    ];
    counts.into_iter().flatten().min()
}

/// What the control groups leave: that of the process and all above it. `groups` is its `/proc/self/cgroup`.
fn of_group(root: &Path, groups: &str) -> Option<u64> {
    let left = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?.trim_start_matches('/'));
        match controllers {
            "" => least_upwards(root, path, second_version),
            _ if controllers.split(',').any(|name| name == "memory") => {
                least_upwards(&root.join("memory"), path, first_version)
            }
            _ => None,
        }
    });
    left.min()
}

/// A container may show its group as the root, whatever its path outside is: the root is always asked.
fn least_upwards(root: &Path, path: &str, left: fn(&Path) -> Option<u64>) -> Option<u64> {
    let groups = Path::new(path).ancestors().map(|group| root.join(group));
    groups.filter_map(|group| left(&group)).min()
}

fn second_version(group: &Path) -> Option<u64> {
    left_in(
        group,
        ["memory.max", "memory.current"],
        ["inactive_file ", "active_file "],
    )
}

fn first_version(group: &Path) -> Option<u64> {
    let names = ["memory.limit_in_bytes", "memory.usage_in_bytes"];
    left_in(group, names, ["total_inactive_file ", "total_active_file "])
}

/// The limit less what is used; files that are kept in memory can be let go.
fn left_in(group: &Path, [limit, used]: [&str; 2], files: [&str; 2]) -> Option<u64> {
    let number = |name: &str| {
        read_to_string(group.join(name))
            .ok()?
            .trim()
            .parse::<u64>()
            .ok()
    };
    let (limit, used) = (number(limit)?, number(used)?);
    let statistics = read_to_string(group.join("memory.stat")).unwrap_or_default();
    let kept = |name: &&str| {
        statistics
            .lines()
            .find_map(|line| line.strip_prefix(name)?.parse::<u64>().ok())
    };
    let kept: u64 = files.iter().filter_map(kept).sum();
    Some(limit.saturating_sub(used.saturating_sub(kept)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_both_numbers() {
        assert!(compared(u64::MAX, None).is_ok() && compared(1 << 20, Some(1 << 30)).is_ok());
        let message = compared(2_000_000_000, Some(1_000_000_000)).unwrap_err();
        assert!(
            message.contains("2.0 GB") && message.contains("1.0 GB are free"),
            "{message}"
        );
    }

    #[test]
    fn the_limits_of_the_shell_count() {
        let limits = "Limit   Soft Limit  Hard Limit  Units\nMax data size   unlimited   unlimited   bytes\n\
            Max address space         8192000              unlimited            bytes\n";
        let used = "VmPeak:\t 9000 kB\nVmSize:\t 3000 kB\nVmData:\t 100 kB\n";
        assert_eq!(of_limits(limits, used), Some(8_192_000 - 3000 * KIB));
        let unlimited = limits.replace("8192000", "unlimited");
        assert_eq!(of_limits(&unlimited, used), None);
    }

    #[test]
    fn the_least_of_all_groups_above_counts() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let file = root.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("user/job/memory.max", "max\n");
        write("user/job/memory.current", "100\n");
        write("user/memory.max", "1000\n");
        write("user/memory.current", "700\n");
        write(
            "user/memory.stat",
            "anon 400\ninactive_file 200\nactive_file 50\n",
        );
        assert_eq!(of_group(root.path(), "0::/user/job\n"), Some(550));
        assert_eq!(of_group(root.path(), "0::/elsewhere\n"), None);
        write("memory/a/memory.limit_in_bytes", "90\n");
        write("memory/a/memory.usage_in_bytes", "80\n");
        let both = "4:cpu,memory:/a\n3:pids:/a\n0::/user/job\n";
        assert_eq!(of_group(root.path(), both), Some(10));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_says_how_much_is_free() {
        let available = available_bytes().unwrap();
        assert!(available > 1 << 20);
        assert!(total_bytes().unwrap() >= available);
    }

    #[test]
    fn a_field_is_read_in_bytes() {
        let table = "MemTotal:  2048 kB\nMemFree: 1 kB\n";
        assert_eq!(kib(table, "MemTotal:"), Some(2 << 20));
        assert_eq!(kib(table, "MemAvailable:"), None);
        assert_eq!(kib("MemTotal: many kB\n", "MemTotal:"), None);
        assert_eq!(kib("MemTotal: 2048\n", "MemTotal:"), None);
    }
}
