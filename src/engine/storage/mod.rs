//! What a run leaves behind: its folder, record, metrics, checkpoints.

pub mod branch;
pub mod changes;
pub mod checkpoint;
pub mod dynamics_csv;
pub mod first_weights;
pub mod import;
pub mod init;
pub mod matched_weights;
pub mod metrics_csv;
pub mod metrics_read;
pub mod path_as_text;
pub(crate) mod probe_files;
pub mod record;
pub(crate) mod repair;
pub mod run_folder;
pub mod run_tables;
pub mod saved_run;
pub mod snapshots;
pub(crate) mod tensor_file;
pub(crate) mod transform_file;
