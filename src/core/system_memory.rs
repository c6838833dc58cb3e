//! How much memory the machine has, and how much of it this process can still get. What the system doesn't say is `None`.

/// Bytes of memory in all (Linux).
pub fn total_bytes() -> Option<u64> {
    bytes_of(&meminfo()?, "MemTotal:")
}

/// Bytes of memory that this process can still get (Linux).
pub fn available_bytes() -> Option<u64> {
    bytes_of(&meminfo()?, "MemAvailable:")
}

fn meminfo() -> Option<String> {
    std::fs::read_to_string("/proc/meminfo").ok()
}

fn bytes_of(meminfo: &str, field: &str) -> Option<u64> {
    let value = meminfo.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_in_bytes() {
        let table = "MemTotal:  2048 kB\nMemFree: 1 kB\n";
        assert_eq!(bytes_of(table, "MemTotal:"), Some(2 << 20));
        assert_eq!(bytes_of(table, "MemAvailable:"), None);
        assert_eq!(bytes_of("MemTotal: many kB\n", "MemTotal:"), None);
        assert_eq!(bytes_of("MemTotal: 2048\n", "MemTotal:"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn linux_says_how_much_is_free() {
        let available = available_bytes().unwrap();
        assert!(available > 1 << 20);
        assert!(total_bytes().unwrap() >= available);
    }
}
