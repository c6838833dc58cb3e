//! What the driver's own program tells of the GPUs: free memory and how busy they are. It asks NVML, which is part of
//! every driver; asking it directly would need bindings of its own for two numbers.

use super::DeviceMemory;

/// What is told of a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// `GPU-8d5e…`
    pub uuid: String,
    pub memory: Option<DeviceMemory>,
    pub busy_percent: Option<u8>,
}

const MIB: u64 = 1 << 20;

/// What is told of all GPUs; nothing where the program is missing.
#[cfg(feature = "cuda")]
pub(super) fn ask() -> Vec<Told> {
    let asked = std::process::Command::new("nvidia-smi")
        .args([
            "--query-gpu=uuid,memory.total,memory.free,utilization.gpu",
            "--format=csv,noheader,nounits",
        ])
        .output();
    match asked {
        Ok(output) if output.status.success() => read(&String::from_utf8_lossy(&output.stdout)),
        Ok(output) => {
            log::info!("nvidia-smi failed: {}", output.status);
            Vec::new()
        }
        Err(error) => {
            log::info!("nvidia-smi does not start: {error}");
            Vec::new()
        }
    }
}

/// A line a GPU; a figure that it cannot tell is `[N/A]`.
fn read(text: &str) -> Vec<Told> {
    text.lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<Told> {
    let mut fields = line.split(',').map(str::trim);
    let uuid = fields.next().filter(|uuid| uuid.starts_with("GPU-"))?;
    let mut number = || fields.next().and_then(|field| field.parse::<u64>().ok());
    let (total, free, busy) = (number(), number(), number());
    let memory = total.zip(free).map(|(total, free)| DeviceMemory {
        total_bytes: total.saturating_mul(MIB),
        free_bytes: free.saturating_mul(MIB),
    });
    Some(Told {
        uuid: uuid.to_owned(),
        memory,
        busy_percent: busy.and_then(|busy| u8::try_from(busy).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first two lines are in the form that `nvidia-smi` of driver 580 documents.
    #[test]
    fn lines_are_read_and_what_is_not_known_is_left_out() {
        let told = read(
            "GPU-8d5e3a10-aaaa-bbbb-cccc-0123456789ab, 143771, 140000, 37\n\
             GPU-8d5e3a10-aaaa-bbbb-cccc-0123456789ac, [N/A], [N/A], [N/A]\n\
             No devices were found\n",
        );
        let memory = DeviceMemory {
            total_bytes: 143_771 * MIB,
            free_bytes: 140_000 * MIB,
        };
        assert_eq!(told.len(), 2);
        assert_eq!(told[0].memory, Some(memory));
        assert_eq!(told[0].busy_percent, Some(37));
        assert_eq!(told[1].memory, None);
        assert_eq!(told[1].busy_percent, None);
    }
}
