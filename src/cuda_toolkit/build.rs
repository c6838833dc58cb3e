//! Checks what a build with CUDA needs, and links the CUDA runtime into the program:
//! candle's kernels for quantised networks ask for it, and a shared one would be needed wherever the program starts.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What a toolkit's folder is called in.
const FOLDERS: [&str; 4] = [
    "CUDA_HOME",
    "CUDA_PATH",
    "CUDA_ROOT",
    "CUDA_TOOLKIT_ROOT_DIR",
];

/// Where its libraries lie in it.
const LIBRARIES: [&str; 6] = [
    "lib64",
    "lib",
    "lib/x64",
    "lib/x86_64-linux-gnu",
    "targets/x86_64-linux/lib",
    "targets/sbsa-linux/lib",
];

/// The oldest toolkit whose headers candle's kernels compile with (`cuda_fp8.h`).
const OLDEST: (u32, u32) = (11, 8);

fn main() -> ExitCode {
    for variable in FOLDERS.iter().chain(&["PATH", "CUDA_COMPUTE_CAP"]) {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    match find() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("\nStrata cannot be built with CUDA here: {problem}\n");
            eprintln!(
                "docs/cuda.md says what the feature `cuda` needs; without it Strata computes on the CPU."
            );
            ExitCode::FAILURE
        }
    }
}

fn find() -> Result<(), String> {
    let nvcc = nvcc()?;
    let version = version(&nvcc)?;
    println!("cargo::rustc-env=STRATA_CUDA_VERSION={version}");
    check_compute_capability()?;
    let library = cudart(&nvcc)?;
    println!("cargo::rustc-link-search=native={}", library.display());
    println!("cargo::rustc-link-lib=static:+whole-archive=cudart_static");
    println!("cargo::rustc-check-cfg=cfg(strata_loads_cuda_at_run_time)");
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    if flags.contains("dynamic-loading") {
        println!("cargo::rustc-cfg=strata_loads_cuda_at_run_time");
    } else {
        println!(
            "cargo::warning=this program will start only where there is an NVIDIA driver; for one that starts \
             everywhere add --config .cargo/cuda.toml"
        );
    }
    Ok(())
}

/// The compiler that is called by its name: cudarc's and candle's build scripts call it so.
fn nvcc() -> Result<PathBuf, String> {
    let name = format!("nvcc{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .map(|folder| folder.join(&name))
        .find(|file| file.is_file());
    if let Some(found) = found {
        return Ok(found);
    }
    let usual = folders()
        .into_iter()
        .map(|folder| folder.join("bin"))
        .find(|folder| folder.join(&name).is_file());
    Err(match usual {
        Some(folder) => format!(
            "the CUDA compiler `nvcc` is in {} but not on the PATH: add that folder to it",
            folder.display()
        ),
        None => "the CUDA compiler `nvcc` was not found: install the CUDA toolkit, 11.8 or newer, and put its `bin` \
                 folder on the PATH"
            .to_owned(),
    })
}

/// Folders that a toolkit may be in.
fn folders() -> Vec<PathBuf> {
    let named = FOLDERS.iter().filter_map(env::var_os).map(PathBuf::from);
    let usual = ["/usr/local/cuda", "/opt/cuda", "/usr/lib/cuda", "/usr"].map(PathBuf::from);
    named.chain(usual).collect()
}

/// The number behind `release` in what `nvcc --version` prints.
fn version(nvcc: &Path) -> Result<String, String> {
    let output = Command::new(nvcc).arg("--version").output();
    let output = output.map_err(|error| format!("{} does not start: {error}", nvcc.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = text
        .split("release ")
        .nth(1)
        .and_then(|rest| rest.split([',', ' ', '\n']).next());
    let version = found.ok_or_else(|| format!("`nvcc --version` printed no version: {text}"))?;
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let number = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if number < OLDEST {
        let (major, minor) = OLDEST;
        return Err(format!(
            "the CUDA toolkit here is {version}, the kernels need {major}.{minor} or newer"
        ));
    }
    Ok(version.to_owned())
}

/// Kernels are compiled for a family of GPUs, which candle's build script asks `nvidia-smi` for.
fn check_compute_capability() -> Result<(), String> {
    if env::var_os("CUDA_COMPUTE_CAP").is_some() {
        return Ok(());
    }
    let asked = Command::new("nvidia-smi")
        .args(["--query-gpu=compute_cap", "--format=csv,noheader"])
        .output();
    match asked {
        Ok(output) if output.status.success() => Ok(()),
        Ok(_) | Err(_) => Err("there is no GPU here to compile for: set CUDA_COMPUTE_CAP to that of the GPU it is \
                               for, without the point (80 for an A100, 89 for an RTX 4090, 90 for an H100; 80 and \
                               89 run on newer GPUs too)"
            .to_owned()),
    }
}

/// The folder of the runtime that can be linked into a program.
fn cudart(nvcc: &Path) -> Result<PathBuf, String> {
    let name = if cfg!(windows) {
        "cudart_static.lib"
    } else {
        "libcudart_static.a"
    };
    let own = nvcc
        .canonicalize()
        .ok()
        .and_then(|nvcc| Some(nvcc.parent()?.parent()?.to_owned()));
    let folders = folders().into_iter().chain(own);
    let places = folders.flat_map(|folder| LIBRARIES.map(|inside| folder.join(inside)));
    let mut places: Vec<PathBuf> = places.collect();
    places.retain(|place| place.join(name).is_file());
    places.into_iter().next().ok_or_else(|| {
        format!("`{name}` of the CUDA toolkit was not found: set CUDA_HOME to the toolkit's folder")
    })
}
