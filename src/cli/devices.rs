//! `strata devices`: where networks can be computed on this machine.

use super::args::DevicesArgs;
use super::output;
use super::text::table_left;
use serde::Serialize;
use strata_core::format::bytes;
use strata_nn::device::{self, DeviceInfo, NoGpu};

/// The list as JSON.
#[derive(Serialize)]
struct Listed {
    devices: Vec<Device>,
    /// Why there is no GPU among them.
    no_gpu: Option<String>,
}

#[derive(Serialize)]
struct Device {
    /// What `--device` takes.
    name: String,
    title: String,
    memory_bytes: Option<u64>,
    free_bytes: Option<u64>,
    busy_percent: Option<u8>,
}

/// Prints the devices.
pub fn run(args: &DevicesArgs) -> anyhow::Result<()> {
    let (devices, missing) = device::devices();
    if args.json {
        let listed = Listed {
            devices: devices.into_iter().map(Device::from).collect(),
            no_gpu: missing.as_ref().map(NoGpu::to_string),
        };
        return output::print_json(&listed);
    }
    let heading = ["--device", "what it is", "memory", "free", "busy"].map(str::to_owned);
    let rows: Vec<Vec<String>> = devices.iter().map(row).collect();
    output::print(&table_left(&heading, &rows))?;
    match missing {
        Some(reason) => output::print(&format!("\nno GPU: {reason}")),
        None => Ok(()),
    }
}

fn row(device: &DeviceInfo) -> Vec<String> {
    let unknown = || "-".to_owned();
    let memory = |of: fn(&device::DeviceMemory) -> u64| {
        device
            .memory
            .as_ref()
            .map_or_else(unknown, |memory| bytes(of(memory)))
    };
    vec![
        device.name.clone(),
        device.title.clone(),
        memory(|memory| memory.total_bytes),
        memory(|memory| memory.free_bytes),
        device
            .busy_percent
            .map_or_else(unknown, |busy| format!("{busy} %")),
    ]
}

impl From<DeviceInfo> for Device {
    fn from(device: DeviceInfo) -> Device {
        Device {
            memory_bytes: device.memory.map(|memory| memory.total_bytes),
            free_bytes: device.memory.map(|memory| memory.free_bytes),
            busy_percent: device.busy_percent,
            name: device.name,
            title: device.title,
        }
    }
}
