//! The devices that a run can be computed on, looked for on a thread of its own: a driver takes its time to wake up.

use super::wake::Wake;
use crossbeam_channel::{Receiver, bounded};
use strata_core::format::bytes;
use strata_nn::device::{self, BUILT_WITH_CUDA, DeviceInfo, NoGpu};

/// What is known of the devices.
#[derive(Debug, Default)]
pub struct DeviceList {
    gpus: Vec<DeviceInfo>,
    /// Why there is no GPU.
    missing: Option<NoGpu>,
    looking: Option<Receiver<(Vec<DeviceInfo>, Option<NoGpu>)>>,
}

/// A device that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choosable {
    /// What the run is told; `None` for the best there is.
    pub key: Option<String>,
    /// `CUDA 0`
    pub name: String,
    /// `NVIDIA A100, 70 GB of 80 GB free, 37 % busy`
    pub about: Option<String>,
}

impl Choosable {
    fn new(key: Option<&str>, name: &str) -> Choosable {
        Choosable {
            key: key.map(str::to_owned),
            name: name.to_owned(),
            about: None,
        }
    }
}

impl DeviceList {
    /// Looks for GPUs, and how much of each is free; until that is known the former list is shown. A build without
    /// CUDA has none.
    pub(super) fn look(&mut self, wake: &Wake) {
        if !BUILT_WITH_CUDA || self.looking.is_some() {
            return;
        }
        let (sender, receiver) = bounded(1);
        let wake = wake.clone();
        let thread = std::thread::Builder::new().name("strata-devices".to_owned());
        let started = thread.spawn(move || {
            // Receiver dropped: the window has closed.
            sender.send(device::devices()).ok();
            wake();
        });
        if let Err(error) = &started {
            log::warn!("no thread could be started to look for GPUs: {error}");
        }
        self.looking = started.ok().map(|_| receiver);
    }

    /// Takes a list that is ready.
    pub(super) fn drain(&mut self) {
        let looking = self.looking.as_ref();
        if let Some((devices, missing)) = looking.and_then(|looking| looking.try_recv().ok()) {
            self.set(devices, missing);
            self.looking = None;
        }
    }

    /// Shows these devices, and why there is no GPU among them.
    pub fn set(&mut self, devices: Vec<DeviceInfo>, missing: Option<NoGpu>) {
        self.gpus = devices;
        self.gpus.retain(|device| device.name != "cpu");
        self.missing = missing.filter(|reason| *reason != NoGpu::NotBuilt);
    }

    /// What can be chosen, best first.
    pub fn choosable(&self) -> Vec<Choosable> {
        let mut choosable = vec![
            Choosable::new(None, "Automatic"),
            Choosable::new(Some("cpu"), "CPU"),
        ];
        choosable.extend(self.gpus.iter().map(|gpu| Choosable {
            key: Some(gpu.name.clone()),
            name: gpu.name.replace("cuda:", "CUDA "),
            about: Some(about(gpu)),
        }));
        choosable
    }

    /// Why no GPU can be chosen, where this build could use one.
    pub fn missing(&self) -> Option<String> {
        self.missing.as_ref().map(NoGpu::in_window)
    }
}

/// What is known of a GPU, in a line.
pub fn about(gpu: &DeviceInfo) -> String {
    let mut parts = vec![gpu.title.clone()];
    parts.extend(gpu.memory.map(|memory| {
        let (free, total) = (bytes(memory.free_bytes), bytes(memory.total_bytes));
        format!("{free} of {total} free")
    }));
    parts.extend(gpu.busy_percent.map(|busy| format!("{busy} % busy")));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use strata_nn::device::DeviceMemory;

    #[test]
    fn gpus_are_listed_behind_the_cpu_with_what_is_known_of_them() {
        let mut list = DeviceList::default();
        let info = |name: &str, title: &str, memory, busy_percent| DeviceInfo {
            name: name.into(),
            title: title.into(),
            memory,
            busy_percent,
        };
        let memory = DeviceMemory {
            total_bytes: 80_000_000_000,
            free_bytes: 60_000_000_000,
        };
        let devices = vec![
            info("cpu", "CPU, 2 threads", None, None),
            info("cuda:0", "NVIDIA A100", Some(memory), Some(37)),
            info("cuda:1", "NVIDIA A100", None, None),
        ];
        list.set(devices, None);
        let names: Vec<String> = list.choosable().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["Automatic", "CPU", "CUDA 0", "CUDA 1"]);
        let told: Vec<Option<String>> = list.choosable().into_iter().map(|one| one.about).collect();
        assert_eq!(
            told[2].as_deref(),
            Some("NVIDIA A100, 60.0 GB of 80.0 GB free, 37 % busy")
        );
        assert_eq!(told[3].as_deref(), Some("NVIDIA A100"));
        assert_eq!(list.missing(), None);
    }

    #[test]
    fn a_missing_driver_is_told_and_a_build_without_cuda_is_not() {
        let mut list = DeviceList::default();
        list.set(Vec::new(), Some(NoGpu::NoDriver));
        assert!(list.missing().unwrap().contains("no NVIDIA driver"));
        list.set(Vec::new(), Some(NoGpu::NotBuilt));
        assert_eq!(list.missing(), None);
        assert_eq!(list.choosable().len(), 2);
    }
}
